package no.segl.internal;

import java.util.List;
import no.segl.HttpHeader;
import no.segl.HttpRequest;
import no.segl.HttpResponse;

/** segl_http_request, segl_http_response and segl_reply, as Java's. */
public final class HttpStructs {
  /** sizeof(segl_http_response). */
  public static final int RESPONSE_SIZE = 64;

  private static final int REQUEST_SIZE = 72;

  private HttpStructs() {}

  /** Puts a request into a frame. */
  public static long putRequest(Native segl, Frame frame, HttpRequest request) {
    byte[] method = Utf8.bytes(request.method());
    byte[] url = Utf8.bytes(request.url());
    byte[] headers = Utf8.bytes(writeHeaders(request.headers()));
    byte[] body = request.body();
    long address = frame.struct(REQUEST_SIZE);
    pair(segl, address + 8, frame.put(method), method.length);
    pair(segl, address + 24, frame.put(url), url.length);
    pair(segl, address + 40, frame.put(headers), headers.length);
    if (body.length > 0) {
      pair(segl, address + 56, frame.put(body), body.length);
    }
    return address;
  }

  static HttpRequest readRequest(Native segl, long address) {
    String headers = textAt(segl, address + 40);
    return HttpRequest.of(textAt(segl, address + 8), textAt(segl, address + 24))
        .withHeaders(Json.parseHeaders(headers))
        .withBody(bytesAt(segl, address + 56));
  }

  /** Reads what segl put into a segl_http_response. */
  public static HttpResponse readResponse(Native segl, long address) {
    return HttpResponse.of(
        segl.getInt(address + 56),
        Json.parseHeaders(textAt(segl, address + 8)),
        bytesAt(segl, address + 32));
  }

  static void reply(Native segl, long reply, HttpResponse response) {
    byte[] headers = Utf8.bytes(writeHeaders(response.headers()));
    byte[] body = response.body();
    try (Frame frame = Frame.take(segl)) {
      segl.segl_reply_set(
          reply,
          response.status(),
          frame.put(headers),
          headers.length,
          frame.put(body),
          body.length);
    }
  }

  private static String writeHeaders(List<HttpHeader> headers) {
    return Json.write(
        headers.stream().map(header -> List.of(header.name(), header.value())).toList());
  }

  private static void pair(Native segl, long at, long address, long length) {
    segl.putLong(at, address);
    segl.putLong(at + 8, length);
  }

  private static String textAt(Native segl, long at) {
    return Upcalls.text(segl, segl.getLong(at), segl.getLong(at + 8));
  }

  private static byte[] bytesAt(Native segl, long at) {
    long address = segl.getLong(at);
    return address == 0
        ? new byte[0]
        : segl.getBytes(address, Upcalls.length(segl.getLong(at + 8)));
  }
}
