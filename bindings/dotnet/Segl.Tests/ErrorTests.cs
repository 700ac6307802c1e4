using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Segl.Tests
{
    internal static class ErrorTests
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr ErrorName(int code);

        public static void EveryErrorNumberHasItsNameAndClass()
        {
            var library = NativeLibrary.Load(Services.Library);
            var name = Marshal.GetDelegateForFunctionPointer<ErrorName>(NativeLibrary.GetExport(library, "segl_error_name"));
            var numbers = new Dictionary<int, string>();
            foreach (string[] line in File.ReadAllLines("tests/data/error-codes.txt").Select(line => line.Split(' ')).Where(line => line.Length == 2))
            {
                numbers[int.Parse(line[0])] = line[1];
            }
            Check.That(numbers.Remove(0) || numbers.Count > 90, "the list was read");
            Check.Same(numbers.Values.Select(Pascal), Enum.GetNames(typeof(ErrorCode)));
            ErrorCode code = default;
            using Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => throw new SeglException(code, "of the test"));
            foreach (KeyValuePair<int, string> number in numbers)
            {
                code = (ErrorCode)number.Key;
                Check.Equal(Pascal(number.Value), code.ToString());
                Check.Equal(number.Value, Marshal.PtrToStringAnsi(name(number.Key)));
                SeglException exception = Check.Fails(code, () => signer.Sign("ES256", new byte[1]));
                Check.Equal(ClassOf(number.Key), exception.GetType());
                Check.Equal(number.Value, exception.Name);
                Check.Equal(number.Key, exception.Number);
            }
        }

        public static void ANumberOfANewerVersion()
        {
            Type facts = typeof(SeglException).Assembly.GetType("Segl.ErrorFacts", true)!;
            object unknown = Activator.CreateInstance(facts, BindingFlags.Instance | BindingFlags.NonPublic, null, new object[] { 833, "UNKNOWN" }, null)!;
            var exception = (SeglException)typeof(SeglException).GetMethod("Of", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, new object?[] { unknown, "m", null })!;
            Check.That(exception.GetType() == typeof(SeglException) && exception.Code is null && exception.Number == 833, "the base class with the number");
        }

        public static void APanicIsAnException()
        {
            // In a process of its own, as Rust writes about panics to its standard error.
            var (status, output) = Services.Child("panic", Services.Library);
            if (status == 77)
            {
                throw new NotRunException("this library was built without the feature test-hooks");
            }
            Check.That(status == 0, output);
        }

        public static void FactsOfAToken()
        {
            SeglException missing = Check.Throws<SeglException>(() => Signer.Open("pkcs11:token=none;object=none?module-path=" + Services.Get("SEGL_TEST_MODULE")));
            Check.That(missing.Code == ErrorCode.TokenNotFound && missing is HsmException, missing.Name);
            Check.Contains("none", missing.Message);
            Config config = Config.FromJson(Services.FileJson);
            config.LifetimeSeconds = 100000;
            SeglException setting = Check.Throws<SeglException>(() => TokenClient.Create(config));
            Check.That(setting.Code == ErrorCode.Config && setting.ConfigPath!.Contains("lifetime_seconds"), setting.Name + " " + setting.ConfigPath);
            Check.Fails(ErrorCode.Io, () => TokenClient.Open("/no/such/segl.toml", "bank"));
            Check.Fails(ErrorCode.Config, () => Services.Client("nobody"));
        }

        private static string Pascal(string name) => string.Concat(name.Split('_').Select(part => part.Substring(0, 1) + part.Substring(1).ToLowerInvariant()));

        private static Type ClassOf(int number)
        {
            return new[] { typeof(UsageException), typeof(KeyException), typeof(HsmException), typeof(KmsException), typeof(NetworkException), typeof(TokenException), typeof(ApiException), typeof(ValidationException) }[number / 100];
        }
    }
}
