package no.segl;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import no.segl.internal.Frame;
import no.segl.internal.Native;
import no.segl.internal.StackRoom;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that a client gave last, by what they were asked for. segl is asked each time whether
 * that is still the token to use, so that its text is copied only when there is another.
 */
final class HeldTokens {
  // Beyond that, requests are as diverse as persons, and each token is used about once.
  private static final int MOST = 1000;

  private static final int FROM_CACHE = 1;
  private static final int UNCHANGED = 2;
  private static final int DPOP = 4;

  private final Held plain = new Held();
  private final Map<TokenRequest, Held> byRequest = new ConcurrentHashMap<>();

  /** What is held for one request. */
  static final class Held {
    private volatile @Nullable Token token;
  }

  private Held held(@Nullable TokenRequest request) {
    if (request == null) {
      return plain;
    }
    Held held = byRequest.get(request);
    if (held == null) {
      if (byRequest.size() >= MOST) {
        byRequest.clear();
      }
      held = byRequest.computeIfAbsent(request, unused -> new Held());
    }
    return held;
  }

  void forget() {
    plain.token = null;
    byRequest.clear();
  }

  Token get(
      Native segl, long client, @Nullable TokenRequest request, @Nullable CallOptions options) {
    Held held = held(request);
    Token last = held.token;
    if (last == null) {
      StackRoom.ensure();
    }
    try (Frame frame = Frame.take(segl)) {
      long out = frame.token();
      long address = 0;
      long length = 0;
      if (request != null) {
        byte[] json = request.json();
        address = frame.put(json);
        length = json.length;
      }
      long generation = last == null ? 0 : last.generation();
      long call = Calls.call(segl, frame, options, false);
      Calls.check(
          segl,
          segl.segl_client_token_if_newer(client, address, length, generation, call, out));
      if (last != null
          && (segl.getInt(out + 64) & UNCHANGED) != 0
          && segl.getLong(out + 56) == last.expiresAtMillis()) {
        return last;
      }
      Token token = read(segl, out, last);
      held.token = token.cached();
      return token;
    }
  }

  /** A token with its response, which is not held. */
  static Token withResponse(
      Native segl, long client, @Nullable TokenRequest request, CallOptions options) {
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      long out = frame.token();
      byte[] json = request == null ? new byte[0] : request.json();
      long address = request == null ? 0 : frame.put(json);
      long call = Calls.call(segl, frame, options, true);
      Calls.check(segl, segl.segl_client_token(client, address, json.length, call, out));
      return read(segl, out, null);
    }
  }

  private static Token read(Native segl, long out, @Nullable Token last) {
    try {
      int flags = segl.getInt(out + 64);
      long expires = segl.getLong(out + 56);
      long generation = segl.getLong(out + 72);
      if (last != null && (flags & UNCHANGED) != 0) {
        return new Token(last.accessToken(), null, expires, generation, true, last.dpop());
      }
      byte[] response = Calls.read(segl, out + 32);
      return new Token(
          new String(Calls.read(segl, out + 8), StandardCharsets.UTF_8),
          response.length == 0 ? null : new String(response, StandardCharsets.UTF_8),
          expires,
          generation,
          (flags & FROM_CACHE) != 0,
          (flags & DPOP) != 0);
    } finally {
      segl.segl_token_free(out);
    }
  }
}
