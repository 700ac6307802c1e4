namespace Segl
{
    /// <summary>Signs with a key of the program's own: another SDK, a cloud vault, a smart card.</summary>
    /// <param name="alg">A JOSE name such as "ES256".</param>
    /// <param name="message">What is signed; it is not hashed yet.</param>
    /// <returns>The signature in JOSE form: RSA as it is, ECDSA as R‖S, which is what <c>SignData</c> of .NET makes.</returns>
    /// <remarks>
    /// It is called on threads of segl's own too, and on several at a time. It may call segl. An exception becomes the
    /// error that the caller of segl gets, with its class and text; a <see cref="SeglException"/> gives its code as well. What .NET itself cannot catch, as an overflow of the stack, ends
    /// the process here as everywhere.
    /// </remarks>
    public delegate byte[] SignCallback(string alg, byte[] message);

    /// <summary>Takes one record of the log.</summary>
    /// <param name="record">The record.</param>
    /// <remarks>It is called on several threads at a time, and on segl's own. Exceptions are dropped, and so are records that it causes itself.</remarks>
    public delegate void LogSink(LogRecord record);
}
