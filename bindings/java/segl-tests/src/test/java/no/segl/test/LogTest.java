package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import no.segl.LogLevel;
import no.segl.LogSink;
import no.segl.Segl;
import no.segl.TokenClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Log records go where the program wants them. */
class LogTest {
  @AfterEach
  void endLog() {
    Segl.endLog();
  }

  @Test
  void recordsGoToTheSystemLogger() {
    List<LogRecord> records = Collections.synchronizedList(new ArrayList<>());
    Logger logger = Logger.getLogger("segl");
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            records.add(record);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    logger.setLevel(Level.FINE);
    try {
      Segl.logToSystemLogger();
      fetch();
      assertTrue(records.stream().anyMatch(record -> record.getMessage().contains(Segl.version())));
      assertTrue(records.stream().anyMatch(record -> record.getLevel() == Level.INFO));
      int before = records.size();
      logger.setLevel(Level.SEVERE);
      Segl.logToSystemLogger();
      fetch();
      assertEquals(before, records.size());
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
      logger.setLevel(null);
    }
  }

  @Test
  void aSinkThatThrowsHarmsNobody() {
    Segl.setLog(
        LogLevel.DEBUG,
        (level, target, message) -> {
          throw new AssertionError("no");
        });
    fetch();
  }

  @Test
  void aSinkMayUseSeglAndIsLetGo() throws Exception {
    List<String> targets = Collections.synchronizedList(new ArrayList<>());
    WeakReference<LogSink> sink = install(targets);
    fetch();
    assertFalse(targets.isEmpty());
    Segl.endLog();
    assertTrue(Given.collected(() -> sink.get() == null), "the sink is still held");
    int before = targets.size();
    fetch();
    assertEquals(before, targets.size());
  }

  private static WeakReference<LogSink> install(List<String> targets) {
    LogSink sink =
        (level, target, message) -> {
          Segl.version();
          targets.add(target);
        };
    Segl.setLog(LogLevel.DEBUG, sink);
    return new WeakReference<>(sink);
  }

  private static void fetch() {
    try (TokenClient client = Given.client("file")) {
      client.token();
    }
  }
}
