//! A value that Python code holds until it is closed.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};
use pyo3::prelude::*;
use segl::ErrorCode;

use crate::{errors, guard};

/// What an object holds. Closing it while other threads are inside is harmless: they finish
/// with what they have.
pub(crate) struct Made<T: Send + Sync + 'static> {
    value: ArcSwapOption<T>,
    what: &'static str,
}

impl<T: Send + Sync + 'static> Made<T> {
    /// `what` names it when it is closed.
    pub(crate) fn new(value: Arc<T>, what: &'static str) -> Self {
        Self {
            value: ArcSwapOption::new(Some(value)),
            what,
        }
    }

    /// The value, unless it is closed.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<Arc<T>> {
        self.value.load_full().ok_or_else(|| self.closed(py))
    }

    /// The value for a moment.
    pub(crate) fn peek(&self) -> Guard<Option<Arc<T>>> {
        self.value.load()
    }

    /// Lets go of the value.
    pub(crate) fn close(&self) {
        if let Some(value) = self.value.swap(None) {
            guard::release(value);
        }
    }

    /// True once it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.value.load().is_none()
    }

    /// What a closed one raises.
    pub(crate) fn closed(&self, py: Python<'_>) -> PyErr {
        errors::new(
            py,
            ErrorCode::InvalidHandle,
            format!("the {} is closed", self.what),
        )
    }
}

impl<T: Send + Sync + 'static> Drop for Made<T> {
    fn drop(&mut self) {
        self.close();
    }
}
