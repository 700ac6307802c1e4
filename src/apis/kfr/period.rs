//! The days that a question is about.

use crate::apis::IsoDate;
use crate::error::{Error, ErrorCode, Result};

/// A period of whole days; the default is today. An end that is left out is today
/// (OpenAPI document, `fromDate` and `toDate`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    from: Option<IsoDate>,
    to: Option<IsoDate>,
}

impl Period {
    /// From one day to another, both included.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it ends before it begins.
    pub fn new(from: Option<IsoDate>, to: Option<IsoDate>) -> Result<Self> {
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the period ends before it begins; exchange its dates",
            ));
        }
        Ok(Self { from, to })
    }

    /// From two texts `YYYY-MM-DD`, for example arguments of a command.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    pub fn parse(from: Option<&str>, to: Option<&str>) -> Result<Self> {
        let read = |name: &str, text: Option<&str>| {
            let date = text.map(|text| {
                text.parse().map_err(|_| {
                    Error::new(
                        ErrorCode::InvalidArgument,
                        format!("{name} is no date; write it as 2019-11-08"),
                    )
                })
            });
            date.transpose()
        };
        Self::new(read("the first day", from)?, read("the last day", to)?)
    }

    /// Whether both ends are given.
    pub(super) fn is_whole(&self) -> bool {
        self.from.is_some() && self.to.is_some()
    }

    /// `fromDate` and `toDate`.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        [("fromDate", self.from), ("toDate", self.to)]
            .into_iter()
            .filter_map(|(name, day)| Some((name, day?.to_string())))
            .collect()
    }
}
