using System;
using System.Collections.Generic;

namespace Segl.Json
{
    /// <summary>Headers as segl has them: a JSON array of pairs.</summary>
    internal static class HeaderList
    {
        internal static List<KeyValuePair<string, string>> Parse(string json)
        {
            var headers = new List<KeyValuePair<string, string>>();
            if (json.Length > 0)
            {
                foreach (object? pair in (List<object?>)JsonReader.Read(json)!)
                {
                    var items = (List<object?>)pair!;
                    headers.Add(new KeyValuePair<string, string>((string)items[0]!, (string)items[1]!));
                }
            }
            return headers;
        }
    }
}
