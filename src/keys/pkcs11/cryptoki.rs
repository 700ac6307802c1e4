//! The functions of a PKCS#11 module as safe methods. This file translates and
//! does nothing else; it is the only one of the PKCS#11 layer with `unsafe`.
//!
//! The calls go through the table of `C_GetFunctionList` (PKCS#11 v2.40 section
//! 5.4), the one symbol that every module exports.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::path::Path;
use std::ptr;
use std::sync::{Mutex, MutexGuard};

use cryptoki_sys::*;

use super::lock::lock;
use super::rv::{CkResult, Failure};
use crate::error::{Error, ErrorCode, Result};

/// A loaded module's function table. The library is never unloaded: vendors'
/// threads and thread-local destructors outlive any last use.
#[derive(Clone, Copy)]
pub(super) struct Functions(*const CK_FUNCTION_LIST);

// SAFETY: the table belongs to a library that stays loaded, and PKCS#11 lets any
// thread read it.
unsafe impl Send for Functions {}
// SAFETY: as above.
unsafe impl Sync for Functions {}

impl Functions {
    /// Loads the library at `path`, which must be canonical.
    ///
    /// # Errors
    /// `MODULE_LOAD` when it is no library or no PKCS#11 module.
    pub fn load(path: &Path) -> Result<Self> {
        let refuse =
            |why: &str| Error::new(ErrorCode::ModuleLoad, format!("{}: {why}", path.display()));
        let library = open_library(path).map_err(|source| {
            refuse(&format!("cannot be loaded as a library ({source})")).with_source(source)
        })?;
        // SAFETY: PKCS#11 gives the symbol this type.
        let symbol = unsafe {
            library.get::<unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV>(
                b"C_GetFunctionList\0",
            )
        };
        let get_function_list = match symbol {
            Ok(symbol) => *symbol,
            Err(source) => {
                return Err(refuse(
                    "is a library but no PKCS#11 module (it exports no C_GetFunctionList); check module-path",
                )
                .with_source(source));
            }
        };
        std::mem::forget(library);
        let mut list = ptr::null_mut();
        // SAFETY: the library stays loaded, and `list` outlives the call.
        let rv = unsafe { get_function_list(&mut list) };
        check("C_GetFunctionList", rv)
            .map_err(|failure| Error::from(failure).in_context(path.display()))?;
        if list.is_null() {
            return Err(refuse(
                "gives no table of functions; it is not a working PKCS#11 module",
            ));
        }
        Ok(Self(list))
    }
}

#[cfg(unix)]
fn open_library(path: &Path) -> std::result::Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: runs the library's initialisers. The caller chose the module and
    // trusts it with the PIN.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL).map(Into::into) }
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> std::result::Result<libloading::Library, libloading::Error> {
    // SAFETY: runs the library's initialisers. The caller chose the module and
    // trusts it with the PIN.
    unsafe { libloading::Library::new(path) }
}

/// An attribute to match or to set.
pub(super) struct Attribute<'a> {
    kind: CK_ATTRIBUTE_TYPE,
    value: Value<'a>,
}

enum Value<'a> {
    Flag(CK_BBOOL),
    Number(CK_ULONG),
    Bytes(&'a [u8]),
}

impl<'a> Attribute<'a> {
    pub fn flag(kind: CK_ATTRIBUTE_TYPE, value: bool) -> Self {
        Self {
            kind,
            value: Value::Flag(if value { CK_TRUE } else { CK_FALSE }),
        }
    }

    pub fn number(kind: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Self {
        Self {
            kind,
            value: Value::Number(value),
        }
    }

    pub fn bytes(kind: CK_ATTRIBUTE_TYPE, value: &'a [u8]) -> Self {
        Self {
            kind,
            value: Value::Bytes(value),
        }
    }

    /// Valid as long as `self` is borrowed.
    fn as_raw(&self) -> CK_ATTRIBUTE {
        let (value, len): (*const c_void, usize) = match &self.value {
            Value::Flag(flag) => (ptr::from_ref(flag).cast(), size_of::<CK_BBOOL>()),
            Value::Number(number) => (ptr::from_ref(number).cast(), size_of::<CK_ULONG>()),
            Value::Bytes(bytes) => (bytes.as_ptr().cast(), bytes.len()),
        };
        CK_ATTRIBUTE {
            type_: self.kind,
            pValue: value.cast_mut(),
            ulValueLen: to_ulong(len),
        }
    }
}

/// A mechanism and, for RSASSA-PSS, its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mechanism {
    pub kind: CK_MECHANISM_TYPE,
    pub pss: Option<CK_RSA_PKCS_PSS_PARAMS>,
}

/// The parameters of `CKM_RSA_PKCS_OAEP` (PKCS#11 v2.40 section 2.1.8), without label.
#[derive(Debug, Clone, Copy)]
pub(super) struct Oaep {
    pub hash: CK_MECHANISM_TYPE,
    pub mgf: CK_RSA_PKCS_MGF_TYPE,
}

/// An initialised module's functions. Made once for each `C_Initialize`.
pub(super) struct Cryptoki {
    functions: Functions,
    /// Held during each call of a module that does not lock by itself.
    serial: Option<Mutex<()>>,
}

/// One function of the table, ready to be called.
struct Entry<'a, F> {
    name: &'static str,
    call: F,
    _serial: Option<MutexGuard<'a, ()>>,
}

impl<F> Entry<'_, F> {
    fn check(&self, rv: CK_RV) -> CkResult<()> {
        check(self.name, rv)
    }
}

impl Cryptoki {
    /// The functions of a module, one call at a time if `serialised`.
    pub fn new(functions: Functions, serialised: bool) -> Self {
        Self {
            functions,
            serial: serialised.then(Mutex::default),
        }
    }

    /// `C_Initialize`, asking the module to use the operating system's locks or to
    /// do without, with `reserved` as `pReserved`. Without either it gets no
    /// arguments at all.
    pub fn initialize(&self, os_locking: bool, reserved: Option<&CStr>) -> CkResult<()> {
        // NSS reads one pointer more than the standard has.
        #[repr(C)]
        struct Roomy {
            args: CK_C_INITIALIZE_ARGS,
            reserve: [*mut c_void; 4],
        }
        let mut roomy = Roomy {
            args: CK_C_INITIALIZE_ARGS {
                CreateMutex: None,
                DestroyMutex: None,
                LockMutex: None,
                UnlockMutex: None,
                flags: if os_locking { CKF_OS_LOCKING_OK } else { 0 },
                pReserved: reserved.map_or(ptr::null(), CStr::as_ptr).cast_mut().cast(),
            },
            reserve: [ptr::null_mut(); 4],
        };
        let args = if os_locking || reserved.is_some() {
            (&raw mut roomy).cast()
        } else {
            ptr::null_mut()
        };
        let entry = self.entry("C_Initialize", |list| list.C_Initialize)?;
        // SAFETY: `args` is NULL or points to arguments that outlive the call, with
        // `pReserved` NULL or a C string that does so too.
        entry.check(unsafe { (entry.call)(args) })
    }

    /// `C_Finalize`. No other call may be in flight.
    pub fn finalize(&self) -> CkResult<()> {
        let entry = self.entry("C_Finalize", |list| list.C_Finalize)?;
        // SAFETY: the argument must be NULL.
        entry.check(unsafe { (entry.call)(ptr::null_mut()) })
    }

    /// `C_GetInfo`.
    pub fn info(&self) -> CkResult<CK_INFO> {
        let mut info = CK_INFO::default();
        let entry = self.entry("C_GetInfo", |list| list.C_GetInfo)?;
        // SAFETY: `info` outlives the call.
        entry.check(unsafe { (entry.call)(&mut info) })?;
        Ok(info)
    }

    /// `C_GetSlotList`: slots with a token in them.
    pub fn slots(&self) -> CkResult<Vec<CK_SLOT_ID>> {
        let entry = self.entry("C_GetSlotList", |list| list.C_GetSlotList)?;
        list_of(|slots, count| {
            // SAFETY: `slots` is NULL or has room for `*count`, and both outlive the call.
            entry.check(unsafe { (entry.call)(CK_TRUE, slots, count) })
        })
    }

    /// `C_GetSlotInfo`.
    pub fn slot_info(&self, slot: CK_SLOT_ID) -> CkResult<CK_SLOT_INFO> {
        let mut info = CK_SLOT_INFO {
            slotDescription: [0; 64],
            manufacturerID: [0; 32],
            flags: 0,
            hardwareVersion: CK_VERSION::default(),
            firmwareVersion: CK_VERSION::default(),
        };
        let entry = self.entry("C_GetSlotInfo", |list| list.C_GetSlotInfo)?;
        // SAFETY: `info` outlives the call.
        entry.check(unsafe { (entry.call)(slot, &mut info) })?;
        Ok(info)
    }

    /// `C_GetTokenInfo`.
    pub fn token_info(&self, slot: CK_SLOT_ID) -> CkResult<CK_TOKEN_INFO> {
        let mut info = CK_TOKEN_INFO::default();
        let entry = self.entry("C_GetTokenInfo", |list| list.C_GetTokenInfo)?;
        // SAFETY: `info` outlives the call.
        entry.check(unsafe { (entry.call)(slot, &mut info) })?;
        Ok(info)
    }

    /// `C_GetMechanismList`.
    pub fn mechanisms(&self, slot: CK_SLOT_ID) -> CkResult<Vec<CK_MECHANISM_TYPE>> {
        let entry = self.entry("C_GetMechanismList", |list| list.C_GetMechanismList)?;
        list_of(|mechanisms, count| {
            // SAFETY: `mechanisms` is NULL or has room for `*count`, and both outlive the call.
            entry.check(unsafe { (entry.call)(slot, mechanisms, count) })
        })
    }

    /// `C_GetMechanismInfo`.
    pub fn mechanism_info(
        &self,
        slot: CK_SLOT_ID,
        mechanism: CK_MECHANISM_TYPE,
    ) -> CkResult<CK_MECHANISM_INFO> {
        let mut info = CK_MECHANISM_INFO::default();
        let entry = self.entry("C_GetMechanismInfo", |list| list.C_GetMechanismInfo)?;
        // SAFETY: `info` outlives the call.
        entry.check(unsafe { (entry.call)(slot, mechanism, &mut info) })?;
        Ok(info)
    }

    /// `C_OpenSession`.
    pub fn open_session(&self, slot: CK_SLOT_ID, rw: bool) -> CkResult<CK_SESSION_HANDLE> {
        let flags = CKF_SERIAL_SESSION | if rw { CKF_RW_SESSION } else { 0 };
        let mut session = 0;
        let entry = self.entry("C_OpenSession", |list| list.C_OpenSession)?;
        // SAFETY: `session` outlives the call; there is no notification callback.
        entry.check(unsafe { (entry.call)(slot, flags, ptr::null_mut(), None, &mut session) })?;
        Ok(session)
    }

    /// `C_CloseSession`.
    pub fn close_session(&self, session: CK_SESSION_HANDLE) -> CkResult<()> {
        let entry = self.entry("C_CloseSession", |list| list.C_CloseSession)?;
        // SAFETY: takes no pointer.
        entry.check(unsafe { (entry.call)(session) })
    }

    /// `C_GetSessionInfo`.
    pub fn session_info(&self, session: CK_SESSION_HANDLE) -> CkResult<CK_SESSION_INFO> {
        let mut info = CK_SESSION_INFO::default();
        let entry = self.entry("C_GetSessionInfo", |list| list.C_GetSessionInfo)?;
        // SAFETY: `info` outlives the call.
        entry.check(unsafe { (entry.call)(session, &mut info) })?;
        Ok(info)
    }

    /// `C_Login`. No PIN is NULL, which asks for the token's own keypad; an empty
    /// PIN is not NULL.
    pub fn login(
        &self,
        session: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: Option<&[u8]>,
    ) -> CkResult<()> {
        let (pointer, len) = pin.map_or((ptr::null(), 0), |pin| (pin.as_ptr(), pin.len()));
        let entry = self.entry("C_Login", |list| list.C_Login)?;
        // SAFETY: `pointer` is NULL or has `len` bytes that the module only reads.
        entry.check(unsafe { (entry.call)(session, user, pointer.cast_mut(), to_ulong(len)) })
    }

    /// `C_FindObjectsInit`.
    pub fn find_init(
        &self,
        session: CK_SESSION_HANDLE,
        template: &[Attribute<'_>],
    ) -> CkResult<()> {
        let mut raw: Vec<_> = template.iter().map(Attribute::as_raw).collect();
        let entry = self.entry("C_FindObjectsInit", |list| list.C_FindObjectsInit)?;
        // SAFETY: `raw` and what it points to outlive the call, which only reads them.
        entry.check(unsafe { (entry.call)(session, raw.as_mut_ptr(), to_ulong(raw.len())) })
    }

    /// `C_FindObjects`: the next objects, none at the end.
    pub fn find_next(&self, session: CK_SESSION_HANDLE) -> CkResult<Vec<CK_OBJECT_HANDLE>> {
        let mut objects = vec![0; 32];
        let mut count = 0;
        let entry = self.entry("C_FindObjects", |list| list.C_FindObjects)?;
        // SAFETY: `objects` has room for as many as it says; both outlive the call.
        entry.check(unsafe {
            (entry.call)(
                session,
                objects.as_mut_ptr(),
                to_ulong(objects.len()),
                &mut count,
            )
        })?;
        objects.truncate(to_usize(count));
        Ok(objects)
    }

    /// `C_FindObjectsFinal`.
    pub fn find_final(&self, session: CK_SESSION_HANDLE) -> CkResult<()> {
        let entry = self.entry("C_FindObjectsFinal", |list| list.C_FindObjectsFinal)?;
        // SAFETY: takes no pointer.
        entry.check(unsafe { (entry.call)(session) })
    }

    /// `C_GetAttributeValue` for one attribute. `None` when the object does not
    /// have it or does not show it.
    pub fn attribute(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> CkResult<Option<Vec<u8>>> {
        let entry = self.entry("C_GetAttributeValue", |list| list.C_GetAttributeValue)?;
        let read = |value: *mut CK_ULONG, len: usize| {
            let mut raw = CK_ATTRIBUTE {
                type_: kind,
                pValue: value.cast(),
                ulValueLen: to_ulong(len),
            };
            // SAFETY: `value` is NULL or has room for `len` bytes, and is aligned for
            // numbers; it and `raw` outlive the call.
            match unsafe { (entry.call)(session, object, &mut raw, 1) } {
                CKR_ATTRIBUTE_SENSITIVE | CKR_ATTRIBUTE_TYPE_INVALID => Ok(None),
                rv => entry.check(rv).map(|()| Some(to_usize(raw.ulValueLen))),
            }
        };
        // Most values fit, and a call may be a round trip to the device.
        let mut words: Vec<CK_ULONG> = vec![0; 64];
        let room = size_of::<CK_ULONG>() * words.len();
        let len = match read(words.as_mut_ptr(), room) {
            Err(failure) if failure.rv == CKR_BUFFER_TOO_SMALL => {
                // "Unavailable" is the largest number; nothing read here comes near the limit.
                let len = match read(ptr::null_mut(), 0)? {
                    Some(len) if len <= 1 << 20 => len,
                    _ => return Ok(None),
                };
                words = vec![0; len.div_ceil(size_of::<CK_ULONG>())];
                read(words.as_mut_ptr(), len)?.map(|read| read.min(len))
            }
            len => len?.filter(|len| *len <= room),
        };
        let Some(len) = len else {
            return Ok(None);
        };
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.truncate(len);
        Ok(Some(bytes))
    }

    /// `C_SignInit`.
    pub fn sign_init(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: &Mechanism,
        key: CK_OBJECT_HANDLE,
    ) -> CkResult<()> {
        let mut raw = as_raw_mechanism(mechanism);
        let entry = self.entry("C_SignInit", |list| list.C_SignInit)?;
        // SAFETY: `raw` and its parameter outlive the call, which only reads them.
        entry.check(unsafe { (entry.call)(session, &mut raw, key) })
    }

    /// `C_Sign`: writes the signature to `signature` and returns its length.
    pub fn sign(
        &self,
        session: CK_SESSION_HANDLE,
        data: &[u8],
        signature: &mut [u8],
    ) -> CkResult<usize> {
        let mut len = to_ulong(signature.len());
        let entry = self.entry("C_Sign", |list| list.C_Sign)?;
        // SAFETY: `data` is only read; `signature` has room for `len` bytes; all
        // outlive the call.
        entry.check(unsafe {
            (entry.call)(
                session,
                data.as_ptr().cast_mut(),
                to_ulong(data.len()),
                signature.as_mut_ptr(),
                &mut len,
            )
        })?;
        Ok(to_usize(len).min(signature.len()))
    }

    /// `C_DecryptInit` with `CKM_RSA_PKCS_OAEP`.
    pub fn decrypt_init(
        &self,
        session: CK_SESSION_HANDLE,
        oaep: Oaep,
        key: CK_OBJECT_HANDLE,
    ) -> CkResult<()> {
        let parameters = CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: oaep.hash,
            mgf: oaep.mgf,
            source: CKZ_DATA_SPECIFIED,
            pSourceData: ptr::null_mut(),
            ulSourceDataLen: 0,
        };
        let mut raw = CK_MECHANISM {
            mechanism: CKM_RSA_PKCS_OAEP,
            pParameter: ptr::from_ref(&parameters).cast_mut().cast(),
            ulParameterLen: to_ulong(size_of::<CK_RSA_PKCS_OAEP_PARAMS>()),
        };
        let entry = self.entry("C_DecryptInit", |list| list.C_DecryptInit)?;
        // SAFETY: `raw` and its parameter outlive the call, which only reads them.
        entry.check(unsafe { (entry.call)(session, &mut raw, key) })
    }

    /// `C_Decrypt`: writes to `plain` and returns how much.
    pub fn decrypt(
        &self,
        session: CK_SESSION_HANDLE,
        ciphertext: &[u8],
        plain: &mut [u8],
    ) -> CkResult<usize> {
        let mut len = to_ulong(plain.len());
        let entry = self.entry("C_Decrypt", |list| list.C_Decrypt)?;
        // SAFETY: `ciphertext` is only read; `plain` has room for `len` bytes; all
        // outlive the call.
        entry.check(unsafe {
            (entry.call)(
                session,
                ciphertext.as_ptr().cast_mut(),
                to_ulong(ciphertext.len()),
                plain.as_mut_ptr(),
                &mut len,
            )
        })?;
        Ok(to_usize(len).min(plain.len()))
    }

    /// `C_GenerateKeyPair`: the public and the private key.
    pub fn generate_key_pair(
        &self,
        session: CK_SESSION_HANDLE,
        mechanism: CK_MECHANISM_TYPE,
        public: &[Attribute<'_>],
        private: &[Attribute<'_>],
    ) -> CkResult<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        let mut raw = as_raw_mechanism(&Mechanism {
            kind: mechanism,
            pss: None,
        });
        let mut public: Vec<_> = public.iter().map(Attribute::as_raw).collect();
        let mut private: Vec<_> = private.iter().map(Attribute::as_raw).collect();
        let (mut public_key, mut private_key) = (0, 0);
        let entry = self.entry("C_GenerateKeyPair", |list| list.C_GenerateKeyPair)?;
        // SAFETY: the mechanism, both templates and what they point to are only read;
        // they and the two handles outlive the call.
        entry.check(unsafe {
            (entry.call)(
                session,
                &mut raw,
                public.as_mut_ptr(),
                to_ulong(public.len()),
                private.as_mut_ptr(),
                to_ulong(private.len()),
                &mut public_key,
                &mut private_key,
            )
        })?;
        Ok((public_key, private_key))
    }

    /// `C_DestroyObject`.
    pub fn destroy_object(
        &self,
        session: CK_SESSION_HANDLE,
        object: CK_OBJECT_HANDLE,
    ) -> CkResult<()> {
        let entry = self.entry("C_DestroyObject", |list| list.C_DestroyObject)?;
        // SAFETY: takes no pointer.
        entry.check(unsafe { (entry.call)(session, object) })
    }

    fn entry<F>(
        &self,
        name: &'static str,
        pick: impl FnOnce(&CK_FUNCTION_LIST) -> Option<F>,
    ) -> CkResult<Entry<'_, F>> {
        // SAFETY: the module gave the table, it is not null, and it stays loaded.
        let call = pick(unsafe { &*self.functions.0 }).ok_or(Failure {
            rv: CKR_FUNCTION_NOT_SUPPORTED,
            function: name,
        })?;
        Ok(Entry {
            name,
            call,
            _serial: self.serial.as_ref().map(lock),
        })
    }
}

/// Reads a list whose length the module says first. Reads again when it has
/// grown in between.
fn list_of(read: impl Fn(*mut CK_ULONG, &mut CK_ULONG) -> CkResult<()>) -> CkResult<Vec<CK_ULONG>> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut count = 0;
        read(ptr::null_mut(), &mut count)?;
        let mut list: Vec<CK_ULONG> = vec![0; to_usize(count).min(1 << 16)];
        count = to_ulong(list.len());
        match read(list.as_mut_ptr(), &mut count) {
            Err(failure) if failure.rv == CKR_BUFFER_TOO_SMALL && attempt < 5 => {}
            read => {
                list.truncate(to_usize(count));
                return read.map(|()| list);
            }
        }
    }
}

/// Valid as long as `mechanism` is borrowed.
fn as_raw_mechanism(mechanism: &Mechanism) -> CK_MECHANISM {
    let (parameter, len) = match &mechanism.pss {
        Some(pss) => (ptr::from_ref(pss), size_of::<CK_RSA_PKCS_PSS_PARAMS>()),
        None => (ptr::null(), 0),
    };
    CK_MECHANISM {
        mechanism: mechanism.kind,
        pParameter: parameter.cast_mut().cast(),
        ulParameterLen: to_ulong(len),
    }
}

fn check(function: &'static str, rv: CK_RV) -> CkResult<()> {
    if rv == CKR_OK {
        return Ok(());
    }
    Err(Failure { rv, function })
}

/// Too long for a `CK_ULONG` (32 bits on Windows) is cut to what fits, which is
/// never more than there is.
fn to_ulong(len: usize) -> CK_ULONG {
    CK_ULONG::try_from(len).unwrap_or(CK_ULONG::MAX)
}

fn to_usize(len: CK_ULONG) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
