//! `CorrelationID`: what a request is called at Bits.

use crate::apis::uuid_type::uuid_type;

uuid_type! {
    /// A UUID that names one request, to be quoted in a support case.
    CorrelationId, "the correlation id"
}
