using System;

namespace Segl.Interop
{
    /// <summary>Makes clients: of a file, or of settings in JSON, with the handles of the options.</summary>
    internal static unsafe class ClientFactory
    {
        internal static ClientHandle Open(string path, string name, TokenClientOptions options)
        {
            NativeInput file = NativeInput.Of(path);
            NativeInput client = NativeInput.Of(name);
            fixed (byte* pathText = file.Bytes)
            fixed (byte* nameText = client.Bytes)
            {
                if (options.IsPlain)
                {
                    using var bounds = new CallBounds(options.Timeout, options.CancellationToken);
                    NativeCall call = bounds.Call();
                    NativeError.Check(NativeMethods.segl_client_open(pathText, file.Length, nameText, client.Length, &call, out ClientHandle handle), options.CancellationToken);
                    return handle;
                }
                var parameters = new NativeClientParams
                {
                    ConfigPath = pathText,
                    ConfigPathLen = file.Length,
                    ClientName = nameText,
                    ClientNameLen = client.Length,
                };
                return Make(parameters, options);
            }
        }

        internal static ClientHandle Create(string configJson, TokenClientOptions options)
        {
            NativeInput config = NativeInput.Of(configJson);
            fixed (byte* text = config.Bytes)
            {
                return Make(new NativeClientParams { ConfigJson = text, ConfigJsonLen = config.Length }, options);
            }
        }

        private static ClientHandle Make(NativeClientParams parameters, TokenClientOptions options)
        {
            using var bounds = new CallBounds(options.Timeout, options.CancellationToken);
            NativeCall call = bounds.Call();
            using var signer = new Borrowed(options.Signer?.Handle);
            using var tlsSigner = new Borrowed(options.TlsSigner?.Handle);
            using var dpopSigner = new Borrowed(options.DpopSigner?.Handle);
            // Only the client keeps it.
            using TransportHandle? transportHandle = options.Transport is null ? null : TransportCallbacks.Make(options.Transport);
            using var transport = new Borrowed(transportHandle);
            parameters.StructSize = (UIntPtr)sizeof(NativeClientParams);
            parameters.Signer = signer.Handle;
            parameters.TlsSigner = tlsSigner.Handle;
            parameters.DpopSigner = dpopSigner.Handle;
            parameters.Transport = transport.Handle;
            NativeError.Check(NativeMethods.segl_client_new(&parameters, &call, out ClientHandle client), options.CancellationToken);
            return client;
        }
    }
}
