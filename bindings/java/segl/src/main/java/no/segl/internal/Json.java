package no.segl.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import no.segl.ErrorCode;
import no.segl.HttpHeader;
import no.segl.SeglException;
import org.jspecify.annotations.Nullable;

/** JSON (RFC 8259) as far as segl's inputs and headers need it. */
public final class Json {
  private Json() {}

  /** Writes null, booleans, numbers, texts, lists, maps and {@link Raw} text. */
  public static String write(@Nullable Object value) {
    StringBuilder out = new StringBuilder();
    append(out, value);
    return out.toString();
  }

  /** Text that is JSON already. */
  public record Raw(String text) {}

  /** The members of a JSON object with settings. */
  public static Map<String, Object> parseSettings(String text) {
    try {
      if (new JsonReader(text).read() instanceof Map<?, ?> members) {
        @SuppressWarnings("unchecked")
        Map<String, Object> settings = (Map<String, Object>) members;
        return settings;
      }
    } catch (IllegalArgumentException wrong) {
      throw SeglException.of(
          ErrorCode.CONFIG, "The settings are not JSON: " + wrong.getMessage(), null);
    }
    throw SeglException.of(ErrorCode.CONFIG, "The settings are not a JSON object", null);
  }

  /** Headers, from an array of pairs. */
  static List<HttpHeader> parseHeaders(String text) {
    List<HttpHeader> headers = new ArrayList<>();
    if (!text.isEmpty() && new JsonReader(text).read() instanceof List<?> pairs) {
      for (Object pair : pairs) {
        List<?> both = (List<?>) pair;
        headers.add(new HttpHeader((String) both.get(0), (String) both.get(1)));
      }
    }
    return headers;
  }

  /** Checks that a text is one JSON value. */
  public static Raw raw(String text) {
    new JsonReader(text).read();
    return new Raw(text);
  }

  private static void append(StringBuilder out, @Nullable Object value) {
    if (value instanceof CharSequence text) {
      quote(out, text);
    } else if (value instanceof Raw raw) {
      out.append(raw.text());
    } else if (value instanceof Map<?, ?> map) {
      char before = '{';
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.append(before);
        quote(out, (String) entry.getKey());
        out.append(':');
        append(out, entry.getValue());
        before = ',';
      }
      out.append(before == '{' ? "{}" : "}");
    } else if (value instanceof Collection<?> list) {
      char before = '[';
      for (Object item : list) {
        out.append(before);
        append(out, item);
        before = ',';
      }
      out.append(before == '[' ? "[]" : "]");
    } else {
      out.append(value);
    }
  }

  private static void quote(StringBuilder out, CharSequence text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
