using System;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;

namespace Segl.Tests
{
    /// <summary>An HTTP server of the test's own on a free port, that keeps what it is asked.</summary>
    internal sealed class LocalServer : IDisposable
    {
        private readonly HttpListener _listener = new HttpListener();

        /// <param name="host">"127.0.0.1" or "localhost", which are two hosts to a client.</param>
        /// <param name="answer">Fills in the answer.</param>
        internal LocalServer(string host, Action<HttpListenerResponse> answer)
        {
            Url = "http://" + host + ":" + FreePort() + "/";
            _listener.Prefixes.Add(Url);
            _listener.Start();
            Task.Run(async () =>
            {
                while (true)
                {
                    HttpListenerContext context = await _listener.GetContextAsync();
                    Asked.Enqueue(context.Request);
                    answer(context.Response);
                    context.Response.Close();
                }
            });
        }

        internal string Url { get; }

        internal ConcurrentQueue<HttpListenerRequest> Asked { get; } = new ConcurrentQueue<HttpListenerRequest>();

        public void Dispose() => _listener.Close();

        private static int FreePort()
        {
            var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            int port = ((IPEndPoint)probe.LocalEndpoint).Port;
            probe.Stop();
            return port;
        }
    }
}
