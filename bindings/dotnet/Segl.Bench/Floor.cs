using System;
using System.Runtime.InteropServices;
using System.Text;
using Segl.Tests;

namespace Segl.Bench
{
    /// <summary>The C call for an unchanged token with nothing around it.</summary>
    internal static unsafe class Floor
    {
        private static readonly IntPtr Client = Open();
        private static readonly ulong Generation = Ask(0);

        [DllImport("segl")]
        private static extern IntPtr segl_client_open(byte* path, UIntPtr pathLen, byte* name, UIntPtr nameLen, IntPtr call, IntPtr* client);

        [DllImport("segl")]
        private static extern IntPtr segl_client_token_if_newer(IntPtr client, byte* request, UIntPtr requestLen, ulong generation, IntPtr call, ulong* token);

        internal static object Call()
        {
            Ask(Generation);
            return Client;
        }

        private static ulong Ask(ulong generation)
        {
            // segl_token: its size first, and the generation last.
            ulong* token = stackalloc ulong[10];
            token[0] = 80;
            Check.That(segl_client_token_if_newer(Client, null, UIntPtr.Zero, generation, IntPtr.Zero, token) == IntPtr.Zero, "a token");
            return token[9];
        }

        private static IntPtr Open()
        {
            IntPtr library = NativeLibrary.Load(Services.Library);
            NativeLibrary.SetDllImportResolver(typeof(Floor).Assembly, (name, assembly, path) => library);
            byte[] file = Encoding.UTF8.GetBytes(Services.ConfigFile);
            byte[] name = Encoding.UTF8.GetBytes("file");
            IntPtr client;
            fixed (byte* fileText = file)
            fixed (byte* nameText = name)
            {
                Check.That(segl_client_open(fileText, (UIntPtr)file.Length, nameText, (UIntPtr)name.Length, IntPtr.Zero, &client) == IntPtr.Zero, "a client");
            }
            return client;
        }
    }
}
