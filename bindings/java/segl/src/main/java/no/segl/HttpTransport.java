package no.segl;

import java.time.Duration;

/**
 * Sends the requests of a {@link TokenClient}, in the place of segl's own HTTP and TLS.
 *
 * <p>It is called on the threads that call segl, and for tokens on threads of segl, on several at a
 * time, and may use segl. A client certificate is the transport's own business: the setting {@code
 * tls} is refused beside it. It must not refer to the client that is made with it, which would never
 * be collected then.
 */
@FunctionalInterface
public interface HttpTransport {
  /**
   * Sends a request and waits for the whole answer. Redirects must not be followed.
   *
   * @param request what to send; it has secrets
   * @param timeout how long that may take, never zero
   * @return the answer, whatever its status
   * @throws Exception when there is no answer. A time-out, an {@link javax.net.ssl.SSLException} and
   *     another {@link java.io.IOException} become {@link ErrorCode#TIMEOUT}, {@link ErrorCode#TLS}
   *     and {@link ErrorCode#NETWORK}, a {@link SeglException} keeps its code, and all else is {@link
   *     ErrorCode#CALLBACK_FAILED}; the message tells the class and the text of the exception
   */
  HttpResponse send(HttpRequest request, Duration timeout) throws Exception;
}
