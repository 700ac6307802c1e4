//! UUIDs that are a type each.

/// A type of UUIDs: `$what` names it in errors and in the schema.
macro_rules! uuid_type {
    ($(#[$docs:meta])* $name:ident, $what:literal) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new one.
            pub fn random() -> Self {
                Self(uuid::Uuid::new_v4())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::error::Error;

            /// From the 36 characters with hyphens.
            ///
            /// # Errors
            /// `INVALID_ARGUMENT`, without the text.
            fn from_str(text: &str) -> crate::error::Result<Self> {
                // The crate would take other forms, which the services do not write.
                let id = Some(text).filter(|text| text.len() == 36);
                let id = id.and_then(|text| uuid::Uuid::try_parse(text).ok());
                id.map(Self).ok_or_else(|| {
                    crate::error::Error::new(
                        crate::error::ErrorCode::InvalidArgument,
                        concat!($what, " is a UUID, as 2b6fc544-e708-4887-8425-378733eea631"),
                    )
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $what,
                    "type": "string",
                    "format": "uuid"
                })
            }
        }
    };
}

pub(super) use uuid_type;
