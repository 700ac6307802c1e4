//! Loaded PKCS#11 modules, one per library file and process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::cryptoki::{Cryptoki, Functions};
use super::instance::{self, Instance};
use super::library::{self, FileId};
use super::lock::lock;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;

/// Every module in use. Never changed in place, so that a forked child finds it
/// whole.
static MODULES: ArcSwapOption<Vec<Arc<Module>>> = ArcSwapOption::const_empty();

/// A module's library, whatever happens to its initialisation.
pub(super) struct Module {
    path: PathBuf,
    file: FileId,
    functions: Functions,
    shut_down: AtomicBool,
    generations: AtomicU64,
    process: PerProcess<InProcess>,
}

/// What one process has of a module.
#[derive(Default)]
struct InProcess {
    /// Held during `C_Initialize` and `C_Finalize`.
    changing: Mutex<()>,
    instance: ArcSwapOption<Instance>,
    /// The parent process had initialised the module before it forked.
    inherited: bool,
}

impl Module {
    /// The module in the library at `path`, loaded if it is not yet.
    ///
    /// # Errors
    /// `MODULE_LOAD`.
    pub fn load(path: &Path) -> Result<Arc<Self>> {
        let (path, file) = library::check(path)?;
        if let Some(module) = find(&file) {
            return Ok(module);
        }
        let module = Arc::new(Self {
            functions: Functions::load(&path)?,
            path,
            file,
            shut_down: AtomicBool::new(false),
            generations: AtomicU64::new(0),
            process: PerProcess::new(),
        });
        // Another thread may have been faster; the first one in the list stays.
        MODULES.rcu(|modules| {
            let mut modules = modules.as_deref().cloned().unwrap_or_default();
            if !modules.iter().any(|other| other.file == module.file) {
                modules.push(Arc::clone(&module));
            }
            Some(Arc::new(modules))
        });
        Ok(find(&module.file).unwrap_or(module))
    }

    /// The library's canonical path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The module, initialised in this process.
    ///
    /// # Errors
    /// `MODULE_INIT`.
    pub fn instance(&self) -> Result<Arc<Instance>> {
        let process = self.process.get(InProcess::of_child);
        if let Some(instance) = process.instance.load_full() {
            return Ok(instance);
        }
        let _changing = lock(&process.changing);
        if self.shut_down.load(Ordering::SeqCst) {
            return Err(instance::was_shut_down(&self.path));
        }
        if let Some(instance) = process.instance.load_full() {
            return Ok(instance);
        }
        let generation = self.generations.fetch_add(1, Ordering::SeqCst) + 1;
        let instance = Instance::start(self.functions, &self.path, generation, process.inherited)?;
        let instance = Arc::new(instance);
        process.instance.store(Some(Arc::clone(&instance)));
        Ok(instance)
    }

    /// Ends this process's use of the module for good.
    fn shut_down(&self, call: &Call) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(5);
        self.shut_down.store(true, Ordering::SeqCst);
        let process = self.process.get(InProcess::of_child);
        let _changing = lock(&process.changing);
        let Some(instance) = process.instance.load_full() else {
            if process.inherited {
                // Or the next use in this child would adopt the parent's state.
                let _ = Cryptoki::new(self.functions, false).finalize();
            }
            return Ok(());
        };
        let patience = call
            .remaining(PATIENCE, "shutting down")
            .unwrap_or(Duration::ZERO);
        if !instance.close(patience) {
            return Err(Error::new(
                ErrorCode::Timeout,
                format!(
                    "the PKCS#11 module {} still has calls in flight and was not finalized; \
                     wait for them to end and shut down again",
                    self.path.display()
                ),
            )
            .with_retryable(true));
        }
        instance.end().map_err(|failure| {
            Error::from(failure).in_context(format_args!("ending {}", self.path.display()))
        })?;
        process.instance.store(None);
        Ok(())
    }
}

impl InProcess {
    fn of_child(parent: Option<&Self>) -> Self {
        Self {
            inherited: parent.is_some_and(|parent| {
                parent.inherited
                    || parent
                        .instance
                        .load()
                        .as_ref()
                        .is_some_and(|i| i.is_owned())
            }),
            ..Self::default()
        }
    }
}

/// Ends the use of every module in this process: waits for the calls in flight
/// (5 seconds, or as long as `call` allows), then finalizes the modules that segl
/// initialised and closes its sessions with the others. `C_Finalize` ends a
/// module for the whole process.
///
/// Signers that are open fail with `MODULE_INIT` from now on, without a crash.
/// Keys can be opened anew.
///
/// # Errors
/// `TIMEOUT` when calls are still in flight; that module is not finalized, and
/// another try is allowed. Otherwise what the module says to `C_Finalize`.
pub fn shutdown(call: &Call) -> Result<()> {
    let mut outcome = Ok(());
    for module in MODULES
        .load_full()
        .iter()
        .flat_map(|modules| modules.iter())
    {
        match module.shut_down(call) {
            Ok(()) => {
                MODULES.rcu(|modules| {
                    let others = modules.iter().flat_map(|modules| modules.iter());
                    let others = others.filter(|other| !Arc::ptr_eq(other, module));
                    Some(Arc::new(others.cloned().collect()))
                });
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome
}

fn find(file: &FileId) -> Option<Arc<Module>> {
    let modules = MODULES.load_full()?;
    modules.iter().find(|module| module.file == *file).cloned()
}
