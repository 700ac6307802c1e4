using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace Segl.Tests
{
    internal static class ConfigTests
    {
        private static readonly JsonElement Schema = JsonDocument.Parse(File.ReadAllText("docs/config.schema.json")).RootElement.GetProperty("$defs");

        public static void AMemberForEverySetting()
        {
            foreach (var (type, definition) in new[] { (typeof(Config), "ClientSettings"), (typeof(TlsConfig), "TlsSettings"), (typeof(DecryptionConfig), "DecryptionSettings"), (typeof(DpopConfig), "DpopSettings"), (typeof(ServiceConfig), "ServiceSettings"), (typeof(SharedCacheConfig), "SharedCacheSettings"), (typeof(KeyConfig), "ClientKey"), (typeof(DecryptionKeyConfig), "DecryptionKey") })
            {
                Check.Same(
                    Schema.GetProperty(definition).GetProperty("properties").EnumerateObject().Select(property => property.Name),
                    Members(type).Select(property => Snake(property.Name)));
            }
        }

        public static void AWordForEveryWord()
        {
            foreach (var (type, definition) in new[] { (typeof(Profile), "ProfileName"), (typeof(ServiceEnvironment), "Environment"), (typeof(Grant), "Grant"), (typeof(JtiForm), "JtiForm"), (typeof(X5cForm), "X5cForm"), (typeof(AudienceForm), "AudienceForm"), (typeof(ClientAuthentication), "ClientAuthentication"), (typeof(TlsVersion), "TlsVersion") })
            {
                Check.Same(Words(definition).Select(word => word == "1.2" || word == "1.3" ? "tls" + word.Replace(".", "") : word), Enum.GetNames(type).Select(Snake));
            }
        }

        public static void AlgorithmsHaveTheirNamesOfJose()
        {
            var all = new DecryptionConfig
            {
                ContentEncryption = Enum.GetValues(typeof(ContentEncryption)).Cast<ContentEncryption>().ToArray(),
                KeyEncryption = Enum.GetValues(typeof(KeyEncryption)).Cast<KeyEncryption>().ToArray(),
            };
            JsonElement written = JsonDocument.Parse(all.ToJson()).RootElement;
            Check.Same(Words("ContentEncryption"), written.GetProperty("content_encryption").EnumerateArray().Select(word => word.GetString()!));
            Check.Same(Words("KeyEncryption"), written.GetProperty("key_encryption").EnumerateArray().Select(word => word.GetString()!));
            Check.Throws<InvalidOperationException>(() => Config.FromJson("{\"decryption\":{\"key_encryption\":[\"RSA1_5\"]}}").Decryption!.KeyEncryption!.ToString());
        }

        public static void ValuesComeBack()
        {
            foreach (Type type in new[] { typeof(Config), typeof(TlsConfig), typeof(DecryptionConfig), typeof(DpopConfig), typeof(ServiceConfig), typeof(SharedCacheConfig), typeof(KeyConfig), typeof(DecryptionKeyConfig) })
            {
                object settings = Activator.CreateInstance(type)!;
                foreach (PropertyInfo property in Members(type))
                {
                    Check.That(property.GetValue(settings) is null, "nothing is set at first");
                    object value = Example(property.PropertyType);
                    property.SetValue(settings, value);
                    Check.Equal(Shown(value), Shown(property.GetValue(settings)!));
                }
                string json = ((Settings)settings).ToJson();
                Check.Same(Members(type).Select(property => Snake(property.Name)), JsonDocument.Parse(json).RootElement.EnumerateObject().Select(member => member.Name));
                foreach (PropertyInfo property in Members(type))
                {
                    property.SetValue(settings, null);
                }
                Check.Equal("{}", ((Settings)settings).ToJson());
            }
        }

        public static void TheWordsOfTheFile()
        {
            var config = new Config
            {
                Profile = Profile.Maskinporten,
                Environment = ServiceEnvironment.Test,
                ClientId = "c",
                TokenEndpointAuthMethod = ClientAuthentication.PrivateKeyJwt,
                RegisteredUntil = new DateTimeOffset(2027, 11, 20, 10, 30, 0, TimeSpan.FromHours(1)),
                X5tS256 = true,
                Keys = new[] { new KeyConfig { Key = "file:/a", Kid = "a" }, new KeyConfig { Key = "file:/b", X5c = X5cForm.Chain } },
                Tls = new TlsConfig { MinVersion = TlsVersion.Tls13 },
                Scopes = new[] { "a:b" },
                TimeoutMs = 1000,
            };
            string json = "{\"profile\":\"maskinporten\",\"environment\":\"test\",\"client_id\":\"c\",\"token_endpoint_auth_method\":\"private_key_jwt\",\"registered_until\":\"2027-11-20T09:30:00Z\",\"x5t_s256\":true,\"keys\":[{\"key\":\"file:/a\",\"kid\":\"a\"},{\"key\":\"file:/b\",\"x5c\":\"chain\"}],\"tls\":{\"min_version\":\"1.3\"},\"scopes\":[\"a:b\"],\"timeout_ms\":1000}";
            Check.Equal(json, config.ToJson());
            Config read = Config.FromJson(json);
            Check.Equal(json, read.ToJson());
            Check.That(read.Keys!.Count == 2 && read.Keys[1].X5c == X5cForm.Chain && read.Tls!.MinVersion == TlsVersion.Tls13, "typed");
            Check.Equal(new DateTimeOffset(2027, 11, 20, 0, 0, 0, TimeSpan.Zero), Config.FromJson("{\"registered_until\":\"2027-11-20\"}").RegisteredUntil!.Value);
            Check.That(!config.ToString().Contains("file:"), config.ToString());
        }

        public static void SettingsThatAreUnknownOrWrong()
        {
            Config newer = Config.FromJson(Services.FileJson.Replace("{", "{\"of_tomorrow\":[1.5,-2,null,\"\\u00e6\"],"));
            SeglException unknown = Check.Fails(ErrorCode.Config, () => TokenClient.Create(newer));
            Check.Contains("of_tomorrow", unknown.Message + unknown.ConfigPath);
            Check.Throws<InvalidOperationException>(() => Config.FromJson("{\"kid\":7}").Kid!.ToString());
            Check.Throws<InvalidOperationException>(() => Config.FromJson("{\"profile\":\"unknown\"}").Profile!.Value.ToString());
            foreach (string text in new[] { "", "[]", "{", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":\"\n\"}", "{} {}", "{\"a\":01x}", "nul", new string('[', 100000), "{\"a\":\"\\u00g0\"}" })
            {
                Check.Throws<ArgumentException>(() => Config.FromJson(text));
            }
        }

        private static IEnumerable<string> Words(string definition) => Schema.GetProperty(definition).GetProperty("oneOf").EnumerateArray().Select(word => word.GetProperty("const").GetString()!);

        private static PropertyInfo[] Members(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);

        private static object Example(Type type)
        {
            Type value = Nullable.GetUnderlyingType(type) ?? type;
            return value == typeof(string) ? "text \"æ\" \\ \u0001"
                : value == typeof(bool) ? false
                : value == typeof(long) ? 4294967295L
                : value == typeof(DateTimeOffset) ? DateTimeOffset.UnixEpoch
                : value.IsEnum ? Enum.GetValues(value).GetValue(value.GetEnumValues().Length - 1)!
                : value == typeof(IReadOnlyList<string>) ? new[] { "a", "b" }
                : value == typeof(IReadOnlyList<ContentEncryption>) ? new[] { ContentEncryption.A128CbcHs256, ContentEncryption.A256Gcm }
                : value == typeof(IReadOnlyList<KeyEncryption>) ? new[] { KeyEncryption.RsaOaep }
                : value == typeof(IReadOnlyList<KeyConfig>) ? (object)new[] { new KeyConfig { Kid = "k" } }
                : value == typeof(IReadOnlyList<DecryptionKeyConfig>) ? new[] { new DecryptionKeyConfig { Kid = "k" } }
                : value == typeof(IReadOnlyDictionary<string, string>) ? new Dictionary<string, string> { ["X-A"] = "b" }
                : value == typeof(IReadOnlyDictionary<string, ServiceConfig>) ? new Dictionary<string, ServiceConfig> { ["krr"] = new ServiceConfig { BaseUrl = "https://krr.example" } }
                : Activator.CreateInstance(value)!;
        }

        private static string Shown(object value)
        {
            return value is Settings settings ? settings.ToJson()
                : value is IEnumerable<Settings> list ? string.Join(";", list.Select(item => item.ToJson()))
                : value is IEnumerable<KeyValuePair<string, ServiceConfig>> services ? string.Join(";", services.Select(item => item.Key + item.Value.ToJson()))
                : value is IEnumerable<KeyValuePair<string, string>> pairs ? string.Join(";", pairs)
                : value is IEnumerable<ContentEncryption> contents ? string.Join(";", contents)
                : value is IEnumerable<KeyEncryption> keys ? string.Join(";", keys)
                : value is IEnumerable<string> texts ? string.Join(";", texts) : value + "";
        }

        private static string Snake(string name)
        {
            var snake = new StringBuilder();
            foreach (char c in name)
            {
                snake.Append(char.IsUpper(c) && snake.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(c));
            }
            return snake.ToString();
        }
    }
}
