//! KRR's code lists (docs.digdir.no, `krr_attributter`).

use crate::apis::code_list::codes;

codes! {
    /// Whether the person has refused digital communication (eForvaltningsforskriften §
    /// 15 a).
    Reservation {
        /// The person has.
        Reserved = "JA",
        /// The person has not.
        NotReserved = "NEI",
    }
}

codes! {
    /// Whether the register has the person.
    Status {
        /// It has.
        Active = "AKTIV",
        /// It had.
        Deleted = "SLETTET",
        /// It has not; answered by version 2 only, where that was asked for.
        NotRegistered = "IKKE_REGISTRERT",
    }
}

codes! {
    /// Whether the person may be notified digitally of decisions (eForvaltningsforskriften
    /// § 32).
    NotificationStatus {
        /// Yes.
        MayBeNotified = "KAN_VARSLES",
        /// No: there is no contact information, or it is too old.
        MayNotBeNotified = "KAN_IKKE_VARSLES",
    }
}

codes! {
    /// The language that the person prefers.
    Language {
        /// Bokmål.
        Bokmal = "nb",
        /// Nynorsk.
        Nynorsk = "nn",
        /// English.
        English = "en",
        /// Northern Sami.
        NorthernSami = "se",
    }
}
