package no.segl;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An HTTP request, for {@link TokenClient#send(HttpRequest)} or given to an {@link HttpTransport}.
 * Immutable; its text shows the method and nothing else.
 */
public final class HttpRequest {
  private static final byte[] NOTHING = new byte[0];

  private final String method;
  private final String url;
  private final List<HttpHeader> headers;
  private final byte[] body;

  private HttpRequest(String method, String url, List<HttpHeader> headers, byte[] body) {
    this.method = Objects.requireNonNull(method, "method");
    this.url = Objects.requireNonNull(url, "url");
    this.headers = headers;
    this.body = body;
  }

  /**
   * A request without headers and body.
   *
   * @param method "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS"
   * @param url an https URL, or an http one on the loopback interface
   */
  public static HttpRequest of(String method, String url) {
    return new HttpRequest(method, url, List.of(), NOTHING);
  }

  /**
   * This request with one more header. In a request to send, {@code Authorization}, {@code DPoP},
   * {@code Host} and {@code Content-Length} are segl's to set.
   */
  public HttpRequest withHeader(String name, String value) {
    List<HttpHeader> more = new ArrayList<>(headers);
    more.add(new HttpHeader(name, value));
    return new HttpRequest(method, url, List.copyOf(more), body);
  }

  /** This request with these headers in the place of its own. */
  public HttpRequest withHeaders(List<HttpHeader> values) {
    return new HttpRequest(method, url, List.copyOf(values), body);
  }

  /** This request with a body, which is copied; for POST, PUT and PATCH. */
  public HttpRequest withBody(byte[] value) {
    return new HttpRequest(method, url, headers, value.clone());
  }

  /** The method, in upper case. */
  public String method() {
    return method;
  }

  /** The whole URL. */
  public String url() {
    return url;
  }

  /** The headers in their order. */
  public List<HttpHeader> headers() {
    return headers;
  }

  /** A copy of the body; empty where there is none. */
  public byte[] body() {
    return body.clone();
  }

  @Override
  public String toString() {
    return "HttpRequest[" + method + " …]";
  }
}
