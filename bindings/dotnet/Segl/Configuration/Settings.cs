using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text;
using Segl.Json;

namespace Segl
{
    /// <summary>Settings with types, over the JSON that segl reads.</summary>
    public abstract class Settings
    {
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        private readonly JsonObject _members;

        private protected Settings()
        {
            _members = new JsonObject();
        }

        private protected Settings(JsonObject members)
        {
            _members = members;
        }

        /// <summary>The settings in the words of segl.toml. It may hold a PIN, when a key's URI does.</summary>
        /// <returns>A JSON object.</returns>
        public string ToJson() => JsonWriter.Write(_members);

        /// <summary>The names of what is set; no values.</summary>
        /// <returns>For example "Config(profile, client_id)".</returns>
        public override string ToString() => GetType().Name + "(" + string.Join(", ", _members.Select(member => member.Key)) + ")";

        private protected string? Text(string name) => Get<string>(name, "a text");

        private protected bool? Flag(string name) => (bool?)Get<object>(name, "true or false", value => value is bool);

        private protected long? Number(string name) => (long?)Get<object>(name, "a whole number", value => value is long);

        private protected IReadOnlyList<string>? List(string name)
        {
            return Get<IEnumerable<object?>>(name, "a list of texts", value => value is IEnumerable<object?> items && items.All(item => item is string))?.Cast<string>().ToArray();
        }

        private protected T? Word<T>(string name)
            where T : struct, Enum
        {
            string? word = Text(name);
            return word is null ? (T?)null : Meaning<T>(name, word);
        }

        private protected IReadOnlyList<T>? WordList<T>(string name)
            where T : struct, Enum
        {
            return List(name)?.Select(word => Meaning<T>(name, word)).ToArray();
        }

        private protected DateTimeOffset? Time(string name)
        {
            string? text = Text(name);
            return text is null ? (DateTimeOffset?)null
                : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time
                : throw Wrong(name, "a date or a time of RFC 3339");
        }

        private protected T? Nested<T>(string name, Func<JsonObject, T> make)
            where T : Settings
        {
            JsonObject? members = Get<JsonObject>(name, "an object");
            return members is null ? null : make(members);
        }

        private protected IReadOnlyList<T>? NestedList<T>(string name, Func<JsonObject, T> make)
            where T : Settings
        {
            return Get<IEnumerable<object?>>(name, "a list of objects", value => value is IEnumerable<object?> items && items.All(item => item is JsonObject))
                ?.Cast<JsonObject>().Select(make).ToArray();
        }

        private protected IReadOnlyDictionary<string, T>? NestedMap<T>(string name, Func<JsonObject, T> make)
            where T : Settings
        {
            return Get<JsonObject>(name, "an object of objects", value => value is JsonObject members && members.All(member => member.Value is JsonObject))
                ?.ToDictionary(member => member.Key, member => make((JsonObject)member.Value!));
        }

        private protected IReadOnlyDictionary<string, string>? Map(string name)
        {
            return Get<JsonObject>(name, "an object of texts", value => value is JsonObject members && members.All(member => member.Value is string))
                ?.ToDictionary(member => member.Key, member => (string)member.Value!);
        }

        private protected void Set(string name, object? value)
        {
            if (value is null)
            {
                _members.Remove(name);
            }
            else
            {
                _members[name] = value;
            }
        }

        private protected void SetList(string name, IEnumerable<string>? values) => Set(name, values?.ToList<object?>());

        private protected void SetWord<T>(string name, T? value)
            where T : struct, Enum
        {
            Set(name, value is T word ? WordOf(word.ToString()) : null);
        }

        private protected void SetWordList<T>(string name, IEnumerable<T>? values)
            where T : struct, Enum
        {
            SetList(name, values?.Select(value => WordOf(value.ToString())));
        }

        private protected void SetTime(string name, DateTimeOffset? value)
        {
            Set(name, value?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }

        private protected void SetNested(string name, Settings? value) => Set(name, value?._members);

        private protected void SetNestedList(string name, IEnumerable<Settings>? values) => Set(name, values?.Select(value => (object?)value._members).ToList());

        private protected void SetNestedMap<T>(string name, IReadOnlyDictionary<string, T>? values)
            where T : Settings
        {
            Set(name, values is null ? null : JsonObject.Of(values.Select(value => new KeyValuePair<string, object?>(value.Key, value.Value._members))));
        }

        private protected void SetMap(string name, IReadOnlyDictionary<string, string>? values)
        {
            Set(name, values is null ? null : JsonObject.Of(values.Select(value => new KeyValuePair<string, object?>(value.Key, value.Value))));
        }

        private static T Meaning<T>(string name, string word)
            where T : struct, Enum
        {
            foreach (T value in Enum.GetValues(typeof(T)).Cast<T>())
            {
                if (WordOf(value.ToString()) == word)
                {
                    return value;
                }
            }
            throw Wrong(name, "a word that this version knows; ToJson has it");
        }

        /// <summary>"PrivateKeyJwt" is private_key_jwt; names of RFC 7518 and of versions are no such words.</summary>
        private static string WordOf(string name)
        {
            switch (name)
            {
                case nameof(TlsVersion.Tls12): return "1.2";
                case nameof(TlsVersion.Tls13): return "1.3";
                case nameof(ContentEncryption.A256Gcm): return "A256GCM";
                case nameof(ContentEncryption.A128CbcHs256): return "A128CBC-HS256";
                case nameof(ContentEncryption.A256CbcHs512): return "A256CBC-HS512";
                case nameof(ContentEncryption.A128Gcm): return "A128GCM";
                case nameof(KeyEncryption.RsaOaep256): return "RSA-OAEP-256";
                case nameof(KeyEncryption.RsaOaep): return "RSA-OAEP";
            }
            var word = new StringBuilder();
            foreach (char c in name)
            {
                word.Append(char.IsUpper(c) && word.Length > 0 ? "_" : "").Append(char.ToLowerInvariant(c));
            }
            return word.ToString();
        }

        private T? Get<T>(string name, string what, Predicate<object>? fits = null)
            where T : class
        {
            object? value = _members[name];
            return value is null ? null : value is T typed && (fits is null || fits(value)) ? typed : throw Wrong(name, what);
        }

        private static InvalidOperationException Wrong(string name, string what) => new InvalidOperationException("the setting " + name + " is not " + what);
    }
}
