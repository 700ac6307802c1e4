using System;
using System.Runtime.InteropServices;
using Segl.Json;

namespace Segl.Interop
{
    /// <summary>The vtable of a HTTP transport that the program implements.</summary>
    internal static unsafe class TransportCallbacks
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int SendFunction(IntPtr ctx, NativeHttpRequest* request, uint timeoutMs, IntPtr reply, IntPtr fail);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void DestroyFunction(IntPtr ctx);

        private static readonly CallbackTable<IHttpTransport> Table = new CallbackTable<IHttpTransport>();

        // Held for the life of the process: native code keeps their addresses.
        private static readonly SendFunction SendHeld = Send;
        private static readonly DestroyFunction DestroyHeld = Destroy;

        internal static TransportHandle Make(IHttpTransport transport)
        {
            IntPtr ctx = Table.Add(transport);
            var vtable = new NativeTransportVtable
            {
                StructSize = (UIntPtr)sizeof(NativeTransportVtable),
                Ctx = ctx,
                Send = Marshal.GetFunctionPointerForDelegate(SendHeld),
                Destroy = Marshal.GetFunctionPointerForDelegate(DestroyHeld),
            };
            IntPtr error = NativeMethods.segl_transport_from_vtable(&vtable, out TransportHandle handle);
            if (error != IntPtr.Zero)
            {
                Table.Remove(ctx);
                NativeError.Check(error);
            }
            return handle;
        }

        private static int Send(IntPtr ctx, NativeHttpRequest* request, uint timeoutMs, IntPtr reply, IntPtr fail)
        {
            try
            {
                HttpResponse? response = Table.Get(ctx).Send(Request(request), TimeSpan.FromMilliseconds(timeoutMs));
                if (response is null)
                {
                    throw new InvalidOperationException("the transport returned null");
                }
                NativeInput headers = NativeInput.Of(JsonWriter.Headers(response.Headers));
                NativeInput body = NativeInput.Of(response.Body);
                fixed (byte* headersJson = headers.Bytes)
                fixed (byte* bytes = body.Bytes)
                {
                    NativeMethods.segl_reply_set(reply, response.Status, headersJson, headers.Length, bytes, body.Length);
                }
                return 0;
            }
            catch (Exception exception)
            {
                CallbackFailure.Report(fail, exception);
                return 1;
            }
        }

        private static HttpRequest Request(NativeHttpRequest* request)
        {
            return new HttpRequest(
                NativeOutput.Text(request->Method, request->MethodLen),
                NativeOutput.Text(request->Url, request->UrlLen),
                HeaderList.Parse(NativeOutput.Text(request->HeadersJson, request->HeadersJsonLen)),
                request->Body is null ? null : NativeOutput.Copy(request->Body, request->BodyLen));
        }

        private static void Destroy(IntPtr ctx) => Table.Remove(ctx);
    }
}
