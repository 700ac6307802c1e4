using System;

namespace Segl
{
    /// <summary>Sends the requests of a <see cref="TokenClient"/> in the place of segl's own HTTP.</summary>
    /// <remarks>
    /// It is called on threads of segl's own, and on several at a time. An exception becomes the error that the caller gets,
    /// with its class and text; a <see cref="SeglException"/> gives its code as well, such as <see cref="ErrorCode.Network"/>.
    /// </remarks>
    public interface IHttpTransport
    {
        /// <summary>Sends one request and waits for the whole answer.</summary>
        /// <param name="request">The request. Redirects of its answer are not followed.</param>
        /// <param name="timeout">The longest that it may take; more than zero.</param>
        /// <returns>The answer, whatever its status.</returns>
        HttpResponse Send(HttpRequest request, TimeSpan timeout);
    }
}
