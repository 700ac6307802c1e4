package no.segl;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP answer, from {@link TokenClient#send(HttpRequest)} or made by an {@link HttpTransport}.
 * Immutable; its text shows the status and nothing else.
 */
public final class HttpResponse {
  private final int status;
  private final List<HttpHeader> headers;
  private final byte[] body;

  private HttpResponse(int status, List<HttpHeader> headers, byte[] body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /**
   * An answer.
   *
   * @param status for example 200
   * @param headers in their order, with names in any case
   * @param body the whole body, which is copied; empty for none
   */
  public static HttpResponse of(int status, List<HttpHeader> headers, byte[] body) {
    return new HttpResponse(status, List.copyOf(headers), body.clone());
  }

  /** The HTTP status. */
  public int status() {
    return status;
  }

  /** The headers in their order; names are in lower case in an answer from segl. */
  public List<HttpHeader> headers() {
    return headers;
  }

  /** The value of the first header with a name, in any case, or null. */
  public @Nullable String header(String name) {
    for (HttpHeader header : headers) {
      if (header.name().equalsIgnoreCase(name)) {
        return header.value();
      }
    }
    return null;
  }

  /** A copy of the body; empty where there is none. */
  public byte[] body() {
    return body.clone();
  }

  /** The body as UTF-8 text. */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return "HttpResponse[" + status + "]";
  }
}
