//! The functions that are counted and that rules can name.

use std::fmt;

macro_rules! functions {
    ($($name:ident)+) => {
        /// A function of PKCS#11 whose table entry is replaced.
        #[allow(non_camel_case_types, clippy::enum_variant_names)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function {
            $($name,)+
        }

        impl Function {
            /// Every function, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in the standard.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

functions! {
    C_Initialize
    C_Finalize
    C_GetInfo
    C_GetSlotList
    C_GetSlotInfo
    C_GetTokenInfo
    C_GetMechanismList
    C_GetMechanismInfo
    C_OpenSession
    C_CloseSession
    C_CloseAllSessions
    C_GetSessionInfo
    C_Login
    C_Logout
    C_CreateObject
    C_DestroyObject
    C_GetAttributeValue
    C_SetAttributeValue
    C_FindObjectsInit
    C_FindObjects
    C_FindObjectsFinal
    C_SignInit
    C_Sign
    C_SignUpdate
    C_SignFinal
    C_DecryptInit
    C_Decrypt
    C_GenerateKeyPair
    C_GenerateRandom
}

impl Function {
    /// The function called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|each| each.name() == name)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
