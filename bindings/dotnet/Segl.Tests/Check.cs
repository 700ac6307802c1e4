using System;
using System.Collections.Generic;
using System.Linq;

namespace Segl.Tests
{
    internal static class Check
    {
        internal static void That(bool fact, string what)
        {
            if (!fact)
            {
                throw new InvalidOperationException(what);
            }
        }

        internal static void Equal<T>(T expected, T actual)
        {
            That(EqualityComparer<T>.Default.Equals(expected, actual), "expected " + expected + ", was " + actual);
        }

        internal static void Same(IEnumerable<string> expected, IEnumerable<string> actual)
        {
            string missing = string.Join(", ", expected.Except(actual));
            string unknown = string.Join(", ", actual.Except(expected));
            That(missing.Length + unknown.Length == 0, "missing: " + missing + "; too many: " + unknown);
        }

        internal static void Contains(string part, string whole)
        {
            That(whole.Contains(part), "no \"" + part + "\" in: " + whole);
        }

        /// <summary>The exception that the action throws, of that type or a derived one.</summary>
        internal static T Throws<T>(Action action)
            where T : Exception
        {
            try
            {
                action();
            }
            catch (T exception)
            {
                return exception;
            }
            throw new InvalidOperationException("no " + typeof(T).Name);
        }

        internal static SeglException Fails(ErrorCode code, Action action)
        {
            SeglException exception = Throws<SeglException>(action);
            That(exception.Code == code, "expected " + code + ", was " + exception.Name + ": " + exception.Message);
            return exception;
        }
    }
}
