//! Loaded PKCS#11 modules, one per library file and process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use cryptoki_sys::{CK_RV, CKR_CRYPTOKI_NOT_INITIALIZED};

use super::cryptoki::{Cryptoki, Functions};
use super::instance::{self, Initialisation, Instance};
use super::library::{self, FileId};
use super::threads;
use super::turn::Turn;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;
use crate::keys::uri::{ForkPolicy, TokenSettings};
use crate::log::{self, Level};

/// How long the calls in flight may take to end before the module is finalized.
const QUIESCE: Duration = Duration::from_secs(5);

/// After the calls in flight did not end, callers are not held up again so soon.
const QUIESCE_AGAIN: Duration = Duration::from_secs(30);

/// Every module in use. Never changed in place, so that a forked child finds it
/// whole.
static MODULES: ArcSwapOption<Vec<Arc<Module>>> = ArcSwapOption::const_empty();

/// A module's library, whatever happens to its initialisation.
pub(super) struct Module {
    path: PathBuf,
    file: FileId,
    functions: Functions,
    initialisation: ArcSwap<Initialisation>,
    shut_down: AtomicBool,
    generations: AtomicU64,
    process: PerProcess<InProcess>,
}

/// What one process has of a module.
#[derive(Default)]
struct InProcess {
    /// Whose turn it is to call `C_Initialize` and `C_Finalize`.
    changing: Turn,
    instance: ArcSwapOption<Current>,
    /// The parent process had initialised the module before it forked.
    inherited: bool,
    /// What the parent initialised has been dealt with.
    is_own: AtomicBool,
    /// When the calls in flight last did not end in time, so that the module could
    /// not be finalized.
    busy: ArcSwapOption<Instant>,
}

/// The module as it is initialised now.
struct Current {
    instance: Arc<Instance>,
    since: Instant,
}

impl Module {
    /// The module in the library at `path`, loaded if it is not yet. Once it is
    /// initialised, it stays with the settings that it was initialised with.
    ///
    /// # Errors
    /// `MODULE_LOAD`.
    pub fn load(path: &Path, settings: &TokenSettings) -> Result<Arc<Self>> {
        let (path, file) = library::check(path)?;
        if let Some(module) = find(&file) {
            module.prepare(settings);
            return Ok(module);
        }
        let module = Arc::new(Self {
            functions: Functions::load(&path)?,
            initialisation: ArcSwap::from_pointee(initialisation(&path, settings)),
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

    fn prepare(&self, settings: &TokenSettings) {
        let process = self.process.get(InProcess::of_child);
        if process.instance.load().is_none() && !process.inherited {
            let how = initialisation(&self.path, settings);
            self.initialisation.store(Arc::new(how));
        }
    }

    /// The library's canonical path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The module, initialised in this process.
    ///
    /// # Errors
    /// `MODULE_INIT`; `FORKED` in a child process that may not use the module;
    /// `TIMEOUT` when another thread's `C_Initialize` or `C_Finalize` lasts longer
    /// than `call`.
    pub fn instance(&self, call: &Call) -> Result<Arc<Instance>> {
        let process = self.process.get(InProcess::of_child);
        if let Some(current) = &*process.instance.load()
            && current.instance.is_current()
        {
            return Ok(Arc::clone(&current.instance));
        }
        let _changing = self.changing(&process, call)?;
        if self.is_shut_down() {
            return Err(instance::was_shut_down(&self.path));
        }
        match process.instance.load_full() {
            Some(current) => Ok(Arc::clone(&current.instance)),
            None => self.start(&process),
        }
    }

    /// True once [`shutdown`] was called.
    pub fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::SeqCst)
    }

    /// How long the module has been initialised; zero when it is not.
    pub fn age(&self) -> Duration {
        let process = self.process.get(InProcess::of_child);
        let current = process.instance.load();
        current
            .as_ref()
            .map_or(Duration::ZERO, |current| current.since.elapsed())
    }

    /// Finalizes and initialises the module, unless another thread has done so
    /// since `generation`. Some modules find a lost connection or a new token in no
    /// other way. `cause` is the failure that is to be cured.
    ///
    /// A module that other code has initialised is not finalized, only initialised
    /// again if that code has finalized it.
    ///
    /// # Errors
    /// `RESTART_REQUIRED` when it must not be finalized: it belongs to other code,
    /// or a call hangs in it. Otherwise as [`Module::instance`].
    pub fn reinitialise(&self, generation: u64, cause: &Error, call: &Call) -> Result<()> {
        let process = self.process.get(InProcess::of_child);
        let _changing = self.changing(&process, call)?;
        if self.is_shut_down() {
            return Err(instance::was_shut_down(&self.path));
        }
        let Some(current) = process.instance.load_full() else {
            return Ok(());
        };
        let old = &current.instance;
        if old.generation() != generation {
            return Ok(());
        }
        self.quiesce(&process, old, cause)?;
        let is_finalized =
            cause.details().ck_rv.map(CK_RV::try_from) == Some(Ok(CKR_CRYPTOKI_NOT_INITIALIZED));
        // What others had initialised by then, and does not work for them either.
        let is_in_limbo = is_finalized && old.was_adopted_again();
        let may_finalize = old.is_owned() || is_in_limbo;
        // Whoever finalized it may be initialising it right now.
        let is_finalized = is_finalized && !is_in_limbo;
        if !may_finalize {
            // Helps when that code has finalized it, and does nothing otherwise.
            let new = self.begin(&process, false);
            if !matches!(&new, Ok(new) if new.is_owned()) {
                old.reopen();
                return Err(self.restart_required(
                    "it was initialised by other code of this process and is not segl's to finalize",
                    cause,
                ));
            }
            self.set(&process, new?);
        } else {
            if !is_finalized && let Err(failure) = old.finalize() {
                old.reopen();
                return Err(Error::from(failure)
                    .in_context(format_args!("reinitialising {}", self.path.display())));
            }
            process.instance.store(None);
            let new = self.begin(&process, old.is_owned())?;
            self.set(&process, new);
        }
        log::emit(
            Level::Warn,
            "pkcs11",
            format_args!("reinitialised {}", self.path.display()),
        );
        Ok(())
    }

    /// Lets nobody in, and waits until nobody is inside.
    fn quiesce(&self, process: &InProcess, instance: &Instance, cause: &Error) -> Result<()> {
        let again = process.busy.load_full();
        let is_too_soon = again.is_some_and(|busy| busy.elapsed() < QUIESCE_AGAIN);
        // Those that are inside may have gone by now.
        let patience = if is_too_soon { Duration::ZERO } else { QUIESCE };
        if instance.close(patience) {
            process.busy.store(None);
            return Ok(());
        }
        instance.reopen();
        if !is_too_soon {
            process.busy.store(Some(Arc::new(Instant::now())));
        }
        Err(self.restart_required("a call hangs in it", cause))
    }

    fn changing<'a>(&self, process: &'a InProcess, call: &Call) -> Result<super::turn::Taken<'a>> {
        process
            .changing
            .take(call, "waiting for a PKCS#11 module to be initialised")
            .map_err(|error| error.in_context(self.path.display()))
    }

    fn start(&self, process: &InProcess) -> Result<Arc<Instance>> {
        self.begin(process, false)
            .map(|instance| self.set(process, instance))
    }

    fn begin(&self, process: &InProcess, was_owned: bool) -> Result<Instance> {
        let how = self.initialisation.load_full();
        if process.inherited && how.fork == ForkPolicy::Refuse {
            return Err(self.forked());
        }
        let generation = self.generations.fetch_add(1, Ordering::SeqCst) + 1;
        let instance = Instance::start(
            self.functions,
            &self.path,
            generation,
            &how,
            instance::Before {
                inherited: process.inherited && !process.is_own.load(Ordering::SeqCst),
                was_owned,
            },
        )?;
        process.is_own.store(true, Ordering::SeqCst);
        Ok(instance)
    }

    fn set(&self, process: &InProcess, instance: Instance) -> Arc<Instance> {
        let instance = Arc::new(instance);
        process.instance.store(Some(Arc::new(Current {
            instance: Arc::clone(&instance),
            since: Instant::now(),
        })));
        instance
    }

    fn forked(&self) -> Error {
        Error::new(
            ErrorCode::Forked,
            format!(
                "the PKCS#11 module {} was initialised before this process was forked, and fork=refuse forbids its use here; \
                 open keys after the fork, or use fork=reinit",
                self.path.display()
            ),
        )
    }

    /// The error when the module is not to be reinitialised because of `why`,
    /// although that might cure `cause`.
    pub fn restart_required(&self, why: &str, cause: &Error) -> Error {
        let details = cause.details().clone();
        Error::new(
            ErrorCode::RestartRequired,
            format!(
                "the PKCS#11 module {} may need to be finalized and initialised again, and that was not done: {why}; \
                 restart the process if the token itself works ({})",
                self.path.display(),
                cause.message()
            ),
        )
        .with_details(|own| {
            own.ck_rv = details.ck_rv;
            own.ck_function = details.ck_function;
        })
    }

    /// Ends this process's use of the module for good.
    fn shut_down(&self, call: &Call) -> Result<()> {
        self.shut_down.store(true, Ordering::SeqCst);
        let process = self.process.get(InProcess::of_child);
        let _changing = self.changing(&process, call)?;
        let Some(current) = process.instance.load_full() else {
            if process.inherited {
                // Or the next use in this child would adopt the parent's state.
                let _ = Cryptoki::new(self.functions, false).finalize();
            }
            return Ok(());
        };
        let instance = &current.instance;
        let patience = call
            .remaining(QUIESCE, "shutting down")
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
                        .is_some_and(|current| current.instance.is_owned())
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
    if !threads::are_any() {
        return shut_all_down(call);
    }
    // Some modules take long to finalize.
    let own_call = call.clone();
    let what = "shutting PKCS#11 down";
    threads::run(
        call,
        2 * QUIESCE,
        what,
        move || shut_all_down(&own_call),
        |_| {},
    )
}

fn shut_all_down(call: &Call) -> Result<()> {
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

/// As the settings say, and as the library needs it.
fn initialisation(path: &Path, settings: &TokenSettings) -> Initialisation {
    let mut how = Initialisation::from(settings);
    how.serial |= library::needs_serial_calls(path);
    how
}

fn find(file: &FileId) -> Option<Arc<Module>> {
    let modules = MODULES.load_full()?;
    modules.iter().find(|module| module.file == *file).cloned()
}
