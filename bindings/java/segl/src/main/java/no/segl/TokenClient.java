package no.segl;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.CompletableFuture;
import no.segl.internal.Frame;
import no.segl.internal.Handle;
import no.segl.internal.HttpStructs;
import no.segl.internal.Library;
import no.segl.internal.Native;
import no.segl.internal.StackRoom;
import no.segl.internal.Utf8;
import org.jspecify.annotations.Nullable;

/**
 * A client of a token endpoint: access tokens, which it keeps while they last, the assertions behind
 * them, and requests to APIs with them. A program needs one for each client of segl.toml.
 *
 * <p>Where a method takes a {@link TokenRequest}, null asks for what the client is configured for;
 * null {@link CallOptions} set no bounds.
 */
public final class TokenClient implements AutoCloseable {
  private final Native segl;
  private final Handle handle;
  private final Cleaner.Cleanable cleanable;
  private final HeldTokens held = new HeldTokens();

  private TokenClient(long value) {
    segl = Library.get();
    Handle.Owned owned = Handle.own(this, segl, Handle.Kind.CLIENT, value);
    handle = owned.handle();
    cleanable = owned.cleanable();
  }

  /** As {@link #open(String, String, ClientOptions)}, with nothing but the settings. */
  public static TokenClient open(String path, String name) {
    return open(path, name, ClientOptions.defaults());
  }

  /**
   * Makes the client that a configuration file names, and opens its key. It blocks meanwhile.
   *
   * @param path the file, such as "segl.toml"
   * @param name the client's name in it
   * @param options keys and a transport in the place of those in the settings
   * @throws SeglException {@link ErrorCode#IO} when the file cannot be read, otherwise as {@link
   *     #create(Config, ClientOptions)}
   */
  public static TokenClient open(String path, String name, ClientOptions options) {
    return new TokenClient(ClientMaker.open(path, name, options));
  }

  /** As {@link #create(Config, ClientOptions)}, with nothing but the settings. */
  public static TokenClient create(Config config) {
    return create(config, ClientOptions.defaults());
  }

  /**
   * Makes a client of settings, and opens its key. It blocks meanwhile.
   *
   * @param config the settings
   * @param options keys and a transport in the place of those in the settings
   * @throws SeglException {@link ErrorCode#CONFIG}, with {@link SeglException#configPath}, or as
   *     {@link Signer#open(String)}
   */
  public static TokenClient create(Config config, ClientOptions options) {
    return new TokenClient(ClientMaker.create(config, options));
  }

  /** As {@link #token(TokenRequest, CallOptions)}, for what the client is configured for. */
  public Token token() {
    return token(null, null);
  }

  /** As {@link #token(TokenRequest, CallOptions)}, without bounds. */
  public Token token(@Nullable TokenRequest request) {
    return token(request, null);
  }

  /**
   * Gets an access token that is good for a while: from the cache, or a new one. Unless it is in the
   * cache the call blocks until it is fetched, 30 seconds without a timeout. However many callers ask
   * for the same token, it is fetched once.
   *
   * @param request what is asked for, or null
   * @param options bounds, or null; {@link CallOptions#withResponse} adds {@link Token#response}
   * @throws SeglException a {@link TokenException} when the endpoint refuses, a {@link
   *     NetworkException} when it cannot be reached, or as {@link #assertion(TokenRequest,
   *     CallOptions)}
   */
  public Token token(@Nullable TokenRequest request, @Nullable CallOptions options) {
    try {
      return options != null && options.response()
          ? HeldTokens.withResponse(segl, handle.get(), request, options)
          : held.get(segl, handle.get(), request, options);
    } finally {
      fence(options);
    }
  }

  /** As {@link #tokenAsync(TokenRequest, CallOptions)}, for what the client is configured for. */
  public CompletableFuture<Token> tokenAsync() {
    return tokenAsync(null, null);
  }

  /**
   * As {@link #token(TokenRequest, CallOptions)}, on one of 16 threads that segl's calls share. The
   * call ends with its future: when that is cancelled, or completed by {@link
   * CompletableFuture#orTimeout}. What depends on the future runs on its default executor.
   *
   * @param request what is asked for, or null
   * @param options bounds, or null
   * @return the token, or what {@link #token(TokenRequest, CallOptions)} throws
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when the options have a {@link
   *     CancelToken}: the future takes its place
   */
  public CompletableFuture<Token> tokenAsync(
      @Nullable TokenRequest request, @Nullable CallOptions options) {
    return AsyncCalls.run(options, bounds -> token(request, bounds));
  }

  /** As {@link #assertion(TokenRequest, CallOptions)}, for what the client is configured for. */
  public String assertion() {
    return assertion(null, null);
  }

  /** As {@link #assertion(TokenRequest, CallOptions)}, without bounds. */
  public String assertion(@Nullable TokenRequest request) {
    return assertion(request, null);
  }

  /**
   * Makes a signed assertion, a JWT, without network. It blocks while the key signs.
   *
   * @param request what it is for, or null
   * @param options bounds, or null
   * @throws SeglException {@link ErrorCode#INVALID_ARGUMENT} for a request that the profile cannot
   *     make, otherwise what the key's home reports
   */
  public String assertion(@Nullable TokenRequest request, @Nullable CallOptions options) {
    return text(
        options,
        (library, frame, call, out) ->
            library.segl_client_assertion(
                handle.get(), put(frame, request), length(request), call, out));
  }

  /** As {@link #registration(CallOptions)}, without bounds. */
  public String registration() {
    return registration(null);
  }

  /**
   * Makes the JWT that registers the client's public key with DNB; of several keys, the first one.
   *
   * @param options bounds, or null
   * @throws SeglException {@link ErrorCode#UNSUPPORTED} for other profiles, otherwise what the key's
   *     home reports
   */
  public String registration(@Nullable CallOptions options) {
    return text(
        options,
        (library, frame, call, out) ->
            library.segl_client_registration(handle.get(), call, out));
  }

  /** As {@link #send(HttpRequest, TokenRequest, CallOptions)}, with the client's usual token. */
  public HttpResponse send(HttpRequest request) {
    return send(request, null, null);
  }

  /**
   * Sends a request to an API with the client's access token, from the cache or a new one, and with
   * its client certificate if it has one. After an answer of 401 it is sent once more with a new
   * token. Every status is an answer and no failure. Redirects are not followed.
   *
   * <p>The token goes to the URL that is given: the setting {@code apis} limits which that may be.
   *
   * @param request what to send
   * @param tokenRequest what the token is asked for with, or null
   * @param options bounds, or null
   * @throws SeglException {@link ErrorCode#INVALID_ARGUMENT}, {@link ErrorCode#URL} or {@link
   *     ErrorCode#API_NOT_ALLOWED} for a request that cannot be sent; a {@link NetworkException} when
   *     the API cannot be reached; or as {@link #token(TokenRequest, CallOptions)}
   */
  public HttpResponse send(
      HttpRequest request, @Nullable TokenRequest tokenRequest, @Nullable CallOptions options) {
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      long out = frame.struct(HttpStructs.RESPONSE_SIZE);
      Calls.check(
          segl,
          segl.segl_client_send(
              handle.get(),
              HttpStructs.putRequest(segl, frame, request),
              put(frame, tokenRequest),
              length(tokenRequest),
              Calls.call(segl, frame, options, false),
              out));
      try {
        return HttpStructs.readResponse(segl, out);
      } finally {
        segl.segl_http_response_free(out);
      }
    } finally {
      fence(options);
    }
  }

  /** As {@link #sendAsync(HttpRequest, TokenRequest, CallOptions)}, without bounds. */
  public CompletableFuture<HttpResponse> sendAsync(HttpRequest request) {
    return sendAsync(request, null, null);
  }

  /**
   * As {@link #send(HttpRequest, TokenRequest, CallOptions)}, on a thread as {@link
   * #tokenAsync(TokenRequest, CallOptions)} says.
   *
   * @param request what to send
   * @param tokenRequest what the token is asked for with, or null
   * @param options bounds, or null
   * @return the answer, or what {@code send} throws
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when the options have a {@link
   *     CancelToken}: the future takes its place
   */
  public CompletableFuture<HttpResponse> sendAsync(
      HttpRequest request, @Nullable TokenRequest tokenRequest, @Nullable CallOptions options) {
    return AsyncCalls.run(options, bounds -> send(request, tokenRequest, bounds));
  }

  /** As {@link #callApi(String, String, TokenRequest, CallOptions)}, with the client's usual token. */
  public String callApi(String operation, String inputJson) {
    return callApi(operation, inputJson, null, null);
  }

  /** As {@link #callApi(String, String, TokenRequest, CallOptions)}, without bounds. */
  public String callApi(
      String operation, String inputJson, @Nullable TokenRequest tokenRequest) {
    return callApi(operation, inputJson, tokenRequest, null);
  }

  /**
   * Calls an operation of an API that segl knows, with the client's access token: "krr.lookup" and
   * the others in docs/services.md. The token is replaced once when the API refuses it, and what
   * changes nothing is sent again after failures that pass. It blocks until the answer is there.
   *
   * <pre>{@code
   * String answer = client.callApi("krr.lookup", "{\"persons\":[\"05848998356\"]}");
   * }</pre>
   *
   * <p>The setting {@code services} says where an API is, when that is not where the client's
   * environment has it.
   *
   * @param operation service and operation, such as "krr.lookup"
   * @param inputJson a JSON object, as docs/operations.schema.json has it for the operation
   * @param tokenRequest what the token is asked for with, or null
   * @param options bounds, or null
   * @return the answer, a JSON object; it may be about a person
   * @throws SeglException {@link ErrorCode#INVALID_ARGUMENT} for an operation or input that is none,
   *     whose values the message does not repeat; {@link ErrorCode#CONFIG} for the setting {@code
   *     services}; an {@link ApiException} when the API refuses; or as {@link #send(HttpRequest,
   *     TokenRequest, CallOptions)}
   */
  public String callApi(
      String operation,
      String inputJson,
      @Nullable TokenRequest tokenRequest,
      @Nullable CallOptions options) {
    byte[] name = Utf8.bytes(operation);
    byte[] input = Utf8.bytes(inputJson);
    return text(
        options,
        (library, frame, call, out) ->
            library.segl_client_call_api(
                handle.get(),
                frame.put(name),
                name.length,
                frame.put(input),
                input.length,
                put(frame, tokenRequest),
                length(tokenRequest),
                call,
                out));
  }

  /** As {@link #callApiAsync(String, String, TokenRequest, CallOptions)}, without bounds. */
  public CompletableFuture<String> callApiAsync(String operation, String inputJson) {
    return callApiAsync(operation, inputJson, null, null);
  }

  /**
   * As {@link #callApi(String, String, TokenRequest, CallOptions)}, on a thread as {@link
   * #tokenAsync(TokenRequest, CallOptions)} says.
   *
   * @param operation service and operation, such as "krr.lookup"
   * @param inputJson a JSON object, as docs/operations.schema.json has it for the operation
   * @param tokenRequest what the token is asked for with, or null
   * @param options bounds, or null
   * @return the answer, or what {@code callApi} throws
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when the options have a {@link
   *     CancelToken}: the future takes its place
   */
  public CompletableFuture<String> callApiAsync(
      String operation,
      String inputJson,
      @Nullable TokenRequest tokenRequest,
      @Nullable CallOptions options) {
    return AsyncCalls.run(
        options, bounds -> callApi(operation, inputJson, tokenRequest, bounds));
  }

  /**
   * Checks that the setting {@code apis} lets this client's tokens be sent to a URL; without the
   * setting, every one is allowed. For programs that send their own requests with the tokens;
   * {@link #send} does it by itself.
   *
   * @param url the whole URL of the request
   * @throws SeglException {@link ErrorCode#API_NOT_ALLOWED} when a token must not go there, {@link
   *     ErrorCode#URL} for what is not an https URL, or an http one on the loopback interface
   */
  public void requireAllowed(String url) {
    byte[] address = Utf8.bytes(url);
    try (Frame frame = Frame.take(segl)) {
      Calls.check(
          segl,
          segl.segl_client_require_allowed(handle.get(), frame.put(address), address.length));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** As {@link #reject(Token, TokenRequest)}, for the client's usual token. */
  public void reject(Token token) {
    reject(token, null);
  }

  /**
   * Drops a token that an API rejected (HTTP 401), if it is still the cached one; the next call then
   * fetches another. Within 10 seconds of a rejection the next one drops nothing.
   *
   * @param token what was rejected
   * @param request what it was asked for with, or null
   */
  public void reject(Token token, @Nullable TokenRequest request) {
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      Calls.check(
          segl,
          segl.segl_client_reject(
              handle.get(), put(frame, request), length(request), token.generation()));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Forgets all tokens of this client. */
  public void forget() {
    forget(null);
  }

  /**
   * Forgets tokens, whatever they are.
   *
   * @param request what they were asked for with, or null for all
   */
  public void forget(@Nullable TokenRequest request) {
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      Calls.check(
          segl, segl.segl_client_forget(handle.get(), put(frame, request), length(request)));
      held.forget();
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /**
   * How the client is doing, as a JSON object: {@code keys}, {@code tls}, {@code dpop} and {@code
   * tokens}, as segl.h and docs/tokens.md have it. Nothing is sent, and no device is asked.
   */
  public String health() {
    return text(
        null, (library, frame, call, out) -> library.segl_client_health(handle.get(), out));
  }

  /**
   * Makes a DPoP proof (RFC 9449) for one request, for the header {@code DPoP}.
   *
   * @param method in upper case
   * @param url the whole URL of the request
   * @param accessToken the token that goes with it, or null for a request to the token endpoint that
   *     the program sends itself
   * @throws SeglException {@link ErrorCode#UNSUPPORTED} when the client has no DPoP key, {@link
   *     ErrorCode#INVALID_ARGUMENT}, {@link ErrorCode#URL}, or what the key's home reports
   */
  public String dpopProof(String method, String url, @Nullable String accessToken) {
    byte[] verb = Utf8.bytes(method);
    byte[] address = Utf8.bytes(url);
    byte[] token = accessToken == null ? null : Utf8.bytes(accessToken);
    return text(
        null,
        (library, frame, call, out) ->
            library.segl_client_dpop_proof(
                handle.get(),
                frame.put(verb),
                verb.length,
                frame.put(address),
                address.length,
                token == null ? 0 : frame.put(token),
                token == null ? 0 : token.length,
                call,
                out));
  }

  /**
   * Keeps the nonce that a server gave the program in the header {@code DPoP-Nonce}, for the next
   * proofs for that server.
   *
   * @param url a URL of the server
   * @param nonce the header's value
   * @throws SeglException {@link ErrorCode#UNSUPPORTED} when the client has no DPoP key, {@link
   *     ErrorCode#INVALID_ARGUMENT} or {@link ErrorCode#URL}
   */
  public void dpopNonce(String url, String nonce) {
    byte[] address = Utf8.bytes(url);
    byte[] value = Utf8.bytes(nonce);
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      Calls.check(
          segl,
          segl.segl_client_dpop_nonce(
              handle.get(), frame.put(address), address.length, frame.put(value), value.length));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Ends the client and its cache; calls under way go on. */
  @Override
  public void close() {
    cleanable.clean();
    held.forget();
  }

  private String text(@Nullable CallOptions options, Calls.Maker maker) {
    try {
      return Calls.text(options, maker);
    } finally {
      fence(options);
    }
  }

  private void fence(@Nullable CallOptions options) {
    Reference.reachabilityFence(this);
    Reference.reachabilityFence(options);
  }

  private static long put(Frame frame, @Nullable TokenRequest request) {
    return request == null ? 0 : frame.put(request.json());
  }

  private static long length(@Nullable TokenRequest request) {
    return request == null ? 0 : request.json().length;
  }
}
