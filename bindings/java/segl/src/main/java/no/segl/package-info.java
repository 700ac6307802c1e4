/**
 * Signs JWT assertions with keys that never leave their HSM, and gets access tokens with them.
 *
 * <p>Every object here may be used by any thread at any time, but for builders. Objects that hold
 * something native are {@link AutoCloseable}; those that are forgotten are closed by the collector.
 * Closing one while other threads use it is safe: their calls end well or with {@link
 * no.segl.ErrorCode#INVALID_HANDLE}. All failures are {@link no.segl.SeglException}s.
 */
@org.jspecify.annotations.NullMarked
package no.segl;
