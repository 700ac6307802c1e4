using System;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    // The structs of segl.h, member for member. The tests compare them with the library's layout.

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeBytes
    {
        public byte* Data;
        public UIntPtr Len;
        public UIntPtr Cap;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeCall
    {
        public UIntPtr StructSize;
        public uint TimeoutMs;
        public uint Flags;
        public IntPtr Cancel;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeToken
    {
        public UIntPtr StructSize;
        public NativeBytes AccessToken;
        public NativeBytes ResponseJson;
        public long ExpiresAtMs;
        public uint Flags;
        public uint Reserved;
        public ulong Generation;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeClientParams
    {
        public UIntPtr StructSize;
        public byte* ConfigJson;
        public UIntPtr ConfigJsonLen;
        public IntPtr Signer;
        public IntPtr TlsSigner;
        public IntPtr DpopSigner;
        public IntPtr Transport;
        public byte* ConfigPath;
        public UIntPtr ConfigPathLen;
        public byte* ClientName;
        public UIntPtr ClientNameLen;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeValidatorParams
    {
        public UIntPtr StructSize;
        public byte* ConfigJson;
        public UIntPtr ConfigJsonLen;
        public byte* ConfigPath;
        public UIntPtr ConfigPathLen;
        public byte* ValidatorName;
        public UIntPtr ValidatorNameLen;
        public IntPtr Transport;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeHttpRequest
    {
        public UIntPtr StructSize;
        public byte* Method;
        public UIntPtr MethodLen;
        public byte* Url;
        public UIntPtr UrlLen;
        public byte* HeadersJson;
        public UIntPtr HeadersJsonLen;
        public byte* Body;
        public UIntPtr BodyLen;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeHttpResponse
    {
        public UIntPtr StructSize;
        public NativeBytes HeadersJson;
        public NativeBytes Body;
        public int Status;
        public uint Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeSignerVtable
    {
        public UIntPtr StructSize;
        public IntPtr Ctx;
        public IntPtr Sign;
        public IntPtr Destroy;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeTransportVtable
    {
        public UIntPtr StructSize;
        public IntPtr Ctx;
        public IntPtr Send;
        public IntPtr Destroy;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeLogSink
    {
        public UIntPtr StructSize;
        public IntPtr Ctx;
        public IntPtr Log;
        public IntPtr Destroy;
    }
}
