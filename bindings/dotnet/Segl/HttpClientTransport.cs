using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
#if !NETCOREAPP
using System.Reflection;
#endif
using System.Security.Authentication;
using System.Threading;
using System.Threading.Tasks;

namespace Segl
{
    /// <summary>A transport over <see cref="HttpClient"/>: with the proxy, the certificates and the tracing that .NET has.</summary>
    public sealed class HttpClientTransport : IHttpTransport, IDisposable
    {
        private readonly HttpClient _client;
        private readonly long _maximum;

        /// <summary>Makes a transport with a handler of its own, or of the program's.</summary>
        /// <param name="handler">What sends. Of one of .NET's own, also behind a <see cref="DelegatingHandler"/>, redirects and cookies are switched off; any other must follow no redirect by itself. Null: a new <see cref="HttpClientHandler"/>.</param>
        /// <param name="maxResponseBytes">The most bytes that the body of an answer may have.</param>
        public HttpClientTransport(HttpMessageHandler? handler = null, long maxResponseBytes = 1048576)
        {
            HttpMessageHandler sender = handler ?? new HttpClientHandler();
            SwitchOff(sender);
            _client = new HttpClient(sender, handler is null) { Timeout = Timeout.InfiniteTimeSpan };
            _maximum = maxResponseBytes;
        }

        /// <inheritdoc/>
        public HttpResponse Send(HttpRequest request, TimeSpan timeout)
        {
            using var time = new CancellationTokenSource(timeout.TotalMilliseconds < int.MaxValue ? timeout : TimeSpan.FromMilliseconds(int.MaxValue));
            try
            {
                Task<HttpResponse> Start() => SendAsync(request ?? throw new ArgumentNullException(nameof(request)), time.Token);
                // A handler of the program may come back to the context of the thread that waits here.
                Task<HttpResponse> answer = SynchronizationContext.Current is null ? Start() : Task.Run(Start);
                return answer.GetAwaiter().GetResult();
            }
            catch (OperationCanceledException exception) when (time.IsCancellationRequested)
            {
                throw new SeglException(ErrorCode.Timeout, "no answer from " + Host(request) + " in " + timeout.TotalMilliseconds + " ms", exception);
            }
            catch (Exception exception) when (exception is HttpRequestException || exception is IOException)
            {
                throw new SeglException(Causes(exception).Any(cause => cause is AuthenticationException) ? ErrorCode.Tls : ErrorCode.Network, Host(request) + ": " + Causes(exception).Last().Message, exception);
            }
        }

        /// <summary>Ends the connections, unless the handler is the program's.</summary>
        public void Dispose() => _client.Dispose();

        /// <summary>An assertion goes to the endpoint that the settings name, and no further. A handler that was used already refuses a change.</summary>
        private static void SwitchOff(HttpMessageHandler handler)
        {
            switch (handler)
            {
                case DelegatingHandler outer when outer.InnerHandler != null:
                    SwitchOff(outer.InnerHandler);
                    break;
                case HttpClientHandler own when own.AllowAutoRedirect || own.UseCookies:
                    own.AllowAutoRedirect = false;
                    own.UseCookies = false;
                    break;
#if NETCOREAPP
                case SocketsHttpHandler sockets when sockets.AllowAutoRedirect || sockets.UseCookies:
                    sockets.AllowAutoRedirect = false;
                    sockets.UseCookies = false;
                    break;
#else
                // .NET Standard does not know the type; the runtime does.
                case HttpMessageHandler other when other.GetType().FullName == "System.Net.Http.SocketsHttpHandler":
                    foreach (string name in new[] { "AllowAutoRedirect", "UseCookies" })
                    {
                        PropertyInfo? property = other.GetType().GetProperty(name);
                        if (property != null && true.Equals(property.GetValue(other)))
                        {
                            property.SetValue(other, false);
                        }
                    }
                    break;
#endif
            }
        }

        private async Task<HttpResponse> SendAsync(HttpRequest request, CancellationToken time)
        {
            using var message = new HttpRequestMessage(new HttpMethod(request.Method), request.Url);
            // .NET Framework asks first otherwise, and waits.
            message.Headers.ExpectContinue = false;
            if (request.Body != null)
            {
                message.Content = new ByteArrayContent(request.Body);
            }
            foreach (KeyValuePair<string, string> header in request.Headers)
            {
                if (!message.Headers.TryAddWithoutValidation(header.Key, header.Value))
                {
                    message.Content ??= new ByteArrayContent(Array.Empty<byte>());
                    message.Content.Headers.TryAddWithoutValidation(header.Key, header.Value);
                }
            }
            using HttpResponseMessage answer = await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, time).ConfigureAwait(false);
            byte[] body = await Body(answer, request, time).ConfigureAwait(false);
            var headers = answer.Headers.Concat(answer.Content is null ? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>() : answer.Content.Headers)
                .SelectMany(header => header.Value.Select(value => new KeyValuePair<string, string>(header.Key, value)));
            return new HttpResponse((int)answer.StatusCode, headers, body);
        }

        private async Task<byte[]> Body(HttpResponseMessage answer, HttpRequest request, CancellationToken time)
        {
            using var body = new MemoryStream();
            if (answer.Content is null)
            {
                return body.ToArray();
            }
            // A stream that does not look at its token ends with the answer.
            using CancellationTokenRegistration end = time.Register(answer.Dispose);
            try
            {
                using Stream stream = await answer.Content.ReadAsStreamAsync().ConfigureAwait(false);
                byte[] piece = new byte[16384];
                int read;
                while ((read = await stream.ReadAsync(piece, 0, piece.Length, time).ConfigureAwait(false)) > 0)
                {
                    body.Write(piece, 0, read);
                    if (body.Length > _maximum)
                    {
                        throw new SeglException(ErrorCode.ResponseTooLarge, "the answer of " + Host(request) + " has more than " + _maximum + " bytes");
                    }
                }
            }
            catch (Exception exception) when (time.IsCancellationRequested && !(exception is OperationCanceledException))
            {
                throw new OperationCanceledException(exception.Message, exception, time);
            }
            return body.ToArray();
        }

        private static string Host(HttpRequest request) => new Uri(request.Url).Host;

        private static IEnumerable<Exception> Causes(Exception exception)
        {
            for (Exception? cause = exception; cause != null; cause = cause.InnerException)
            {
                yield return cause;
            }
        }
    }
}
