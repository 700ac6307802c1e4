using System.Collections;
using System.Collections.Generic;

namespace Segl.Json
{
    /// <summary>The members of a JSON object in their order.</summary>
    internal sealed class JsonObject : IEnumerable<KeyValuePair<string, object?>>
    {
        private readonly Dictionary<string, object?> _values = new Dictionary<string, object?>();
        private readonly List<string> _names = new List<string>();

        /// <summary>A member; null when it is not there.</summary>
        internal object? this[string name]
        {
            get => _values.TryGetValue(name, out object? value) ? value : null;
            set
            {
                if (!_values.ContainsKey(name))
                {
                    _names.Add(name);
                }
                _values[name] = value;
            }
        }

        internal static JsonObject Of(IEnumerable<KeyValuePair<string, object?>> members)
        {
            var made = new JsonObject();
            foreach (KeyValuePair<string, object?> member in members)
            {
                made[member.Key] = member.Value;
            }
            return made;
        }

        internal bool Has(string name) => _values.ContainsKey(name);

        internal void Remove(string name)
        {
            if (_values.Remove(name))
            {
                _names.Remove(name);
            }
        }

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            foreach (string name in _names)
            {
                yield return new KeyValuePair<string, object?>(name, _values[name]);
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
