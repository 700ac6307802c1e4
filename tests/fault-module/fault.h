/* A PKCS#11 module that stands in front of a real one and fails on request.
 * For tests only.
 *
 * Set SEGL_FAULT_MODULE to the real module's path, then load this library as a
 * PKCS#11 module. Load the same file (dlopen of the same path) to call the
 * functions below. All state belongs to the loaded library: a copy of the file
 * under another name is a module of its own, with its own rules and counters, in
 * front of the same real module.
 *
 * Every function here may be called from any thread at any time.
 */
#ifndef SEGL_FAULT_H
#define SEGL_FAULT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Applies rules, which are separated by ";" or line ends. Returns 0, or -1 with
 * the reason on standard error; when one is not understood, none is applied.
 * Numbers are decimal, or hexadecimal after 0x.
 *
 * About calls of one function, "FUNCTION WORD...", for example
 * "C_Sign rv=0x30 after=5 count=3":
 *
 *   rv=N          returns N; the real module does not see the call
 *   executed rv=N the real module does its work, and its answer is lost
 *   delay_ms=N    takes N milliseconds longer
 *   hang          does not go on before "release"
 *   flip          (C_Sign) one bit of the signature is wrong
 *   der           (C_Sign) an ECDSA signature is in DER
 *   after=N       lets N calls pass first
 *   every=N       of those after, meets each N-th
 *   count=N       meets N calls at most
 *
 *   swap_keys     C_SignInit uses another private key of the same type; takes
 *                 after, every and count too
 *
 * All rules that meet a call act on it together; of two rv the first one counts.
 *
 * About the token, until "clear":
 *
 *   max_sessions=N     no more than N sessions of this library at one time
 *   pin_limit=N        N wrong PINs in a row lock the PIN. The token's flags tell
 *                      (COUNT_LOW, FINAL_TRY, LOCKED); a locked one refuses every
 *                      login with CKR_PIN_LOCKED. 1 is the final try, 0 is locked
 *   no_os_locking      C_Initialize with CKF_OS_LOCKING_OK is CKR_CANT_LOCK
 *   raw_ec_point       CKA_EC_POINT comes without its OCTET STRING
 *   no_public_key      no search finds a public key
 *   no_mechanism=N     the token does not have this mechanism; may be repeated
 *   only_mechanism=N   the token has no other mechanism; may be repeated
 *   broken_mechanism=N C_SignInit with this mechanism is CKR_GENERAL_ERROR; may be
 *                      repeated
 *   no_attribute=N     no object has this attribute; may be repeated
 *   serial=TEXT        the token's serial number
 *   short_find         C_FindObjects gives one object at a time
 *   no_token           takes the tokens out: no slot has one, and the sessions of
 *                      this library are closed
 *   token_back         puts them back where they were
 *   token_back slot=N  puts them back, the first one used in slot N now
 *
 * Done by other code of the process, to the tokens that this library has had
 * sessions with, as soon as no call of this library is inside the real module; a
 * call that hangs or takes longer is not inside yet:
 *
 *   close_all     C_CloseAllSessions
 *   logout        C_Logout, on a session of its own
 *   initialize    C_Initialize, for the whole process
 *   finalize      C_Finalize, for the whole process
 *   refinalize    C_Finalize and C_Initialize, for the whole process
 *
 * Done at once, by the network:
 *
 *   disconnect    every function but C_Initialize and C_Finalize is
 *                 CKR_DEVICE_ERROR, until C_Initialize or "clear"
 *
 *   release       lets every call go on that hangs, and removes the rules with hang
 *   clear         removes all rules, and releases
 */
int segl_fault_rules(const char *text);

/* How often a function was called through this library, for example "C_Sign";
 * NULL for all together. UINT64_MAX for a function that is not counted. What the
 * rules do to a call makes no difference. */
uint64_t segl_fault_calls(const char *function);

/* Sets the counters of segl_fault_calls and segl_fault_peak to zero. */
void segl_fault_reset_counters(void);

/* How many calls hang now. */
uint64_t segl_fault_hanging(void);

/* How many sessions are open that were opened through this library. */
uint64_t segl_fault_sessions(void);

/* The most calls that were inside this library at one time. */
uint64_t segl_fault_peak(void);

#ifdef __cplusplus
}
#endif

#endif
