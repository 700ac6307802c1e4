import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;
import no.segl.CallOptions;
import no.segl.ErrorCode;
import no.segl.SeglException;
import no.segl.TokenClient;
import no.segl.Validator;

/**
 * An API that checks the access token of each request, and asks KRR about persons with a token of its
 * own. {@code java … Serve.java segl.toml api agency 8080}, and then
 *
 * <pre>curl -H "Authorization: Bearer $TOKEN" -d @persons.json http://127.0.0.1:8080/</pre>
 */
class Serve {
  private static final int MOST_BYTES = 64 * 1024;
  private static final CallOptions CHECK = CallOptions.defaults().withTimeout(Duration.ofSeconds(5));
  private static final CallOptions LOOKUP = CallOptions.defaults().withTimeout(Duration.ofSeconds(20));

  private final Validator validator;
  private final TokenClient client;

  Serve(String file, String validator, String client) {
    this.validator = Validator.open(file, validator);
    this.client = TokenClient.open(file, client);
  }

  public static void main(String[] arguments) throws IOException {
    Serve api = new Serve(arguments[0], arguments[1], arguments[2]);
    var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[3]));
    HttpServer server = HttpServer.create(address, 0);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext("/", api::handle);
    server.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (mayAsk(exchange)) {
        lookUp(exchange);
      }
    }
  }

  private boolean mayAsk(HttpExchange exchange) throws IOException {
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    if (authorization == null || !authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
      refuse(exchange, 401, "Bearer");
      return false;
    }
    try {
      validator.check(authorization.substring(7).strip(), "{\"supplier\":null}", CHECK);
      return true;
    } catch (SeglException refusal) {
      System.err.println(refusal.name() + " " + refusal.getMessage());
      String error = refusal.oauthError();
      Integer status = refusal.httpStatus();
      refuse(
          exchange,
          status == null ? 500 : status,
          error == null ? null : "Bearer error=\"" + error + "\"");
      return false;
    }
  }

  private void lookUp(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
    if (body.length > MOST_BYTES) {
      refuse(exchange, 413, null);
      return;
    }
    String persons = new String(body, StandardCharsets.UTF_8);
    try {
      byte[] found = client.callApi("krr.lookup", persons, null, LOOKUP).getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, found.length);
      exchange.getResponseBody().write(found);
    } catch (SeglException failure) {
      System.err.println(failure.name() + " " + failure.getMessage() + " trace id: " + failure.traceId());
      refuse(exchange, failure.code() == ErrorCode.INVALID_ARGUMENT ? 400 : 502, null);
    }
  }

  private static void refuse(HttpExchange exchange, int status, String challenge)
      throws IOException {
    if (challenge != null) {
      exchange.getResponseHeaders().set("WWW-Authenticate", challenge);
    }
    exchange.sendResponseHeaders(status, -1);
  }
}
