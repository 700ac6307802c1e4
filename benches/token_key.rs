//! A whole assertion with a key in SoftHSM, against `C_SignInit` and `C_Sign` in
//! the same module and the verification that segl adds.

#[path = "../tests/support/softhsm.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod softhsm;
mod support;

use std::ptr;

use criterion::{Criterion, criterion_group, criterion_main};
use cryptoki_sys::*;
use openssl::sha::sha256;

use segl::profiles::ClientSettings;
use segl::{Algorithm, Call, KeyUri, Secret, TokenClient, TokenRequest};
use softhsm::SoftHsm;

/// `DigestInfo` of SHA-256 without the digest (RFC 8017 section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

fn client(label: &str) -> TokenClient {
    let uri: KeyUri = format!(
        "pkcs11:token=bench;object={label}?module-path={}",
        softhsm::module()
    )
    .parse()
    .unwrap();
    let secret = Secret::from(softhsm::PIN.as_bytes());
    let signer = segl::keys::open(&uri, Some(secret), &Call::none()).unwrap();
    let settings = r#"{"profile":"generic","issuer":"https://test.maskinporten.no/","kid":"registered",
        "token_endpoint":"https://test.maskinporten.no/token","grant":"jwt_bearer",
        "client_id":"7ea43b76-6b7d-49e8-af2b-4114ebb66c80","scopes":["lanekassen:lan/v1/saldoopplysninger"]}"#;
    TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(signer)
        .build(&Call::none())
        .unwrap()
}

/// The bare calls, on a session and with a handle of its own.
struct Raw {
    functions: &'static CK_FUNCTION_LIST,
    session: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
    mechanism: CK_MECHANISM_TYPE,
}

impl Raw {
    /// segl has initialised the module and logged in, which holds for the whole
    /// process.
    #[allow(unsafe_code)]
    fn new(id: u8, mechanism: CK_MECHANISM_TYPE) -> Self {
        // SAFETY: SoftHSM is loaded and initialised already; its function list is
        // static; every pointer outlives its call.
        unsafe {
            let library = libloading::Library::new(softhsm::module()).unwrap();
            let get: libloading::Symbol<unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV> =
                library.get(b"C_GetFunctionList").unwrap();
            let mut list = ptr::null_mut();
            assert_eq!(get(&mut list), CKR_OK);
            std::mem::forget(library);
            let functions = &*list;
            let mut slots = [0; 8];
            let mut count = 8;
            let get_slots = functions.C_GetSlotList.unwrap();
            assert_eq!(get_slots(CK_TRUE, slots.as_mut_ptr(), &mut count), CKR_OK);
            let mut session = 0;
            let open = functions.C_OpenSession.unwrap();
            assert_eq!(
                open(
                    slots[0],
                    CKF_SERIAL_SESSION,
                    ptr::null_mut(),
                    None,
                    &mut session
                ),
                CKR_OK
            );
            let mut class = CKO_PRIVATE_KEY;
            let mut id = [id];
            let mut template = [attribute(CKA_CLASS, &mut class), attribute(CKA_ID, &mut id)];
            assert_eq!(
                functions.C_FindObjectsInit.unwrap()(session, template.as_mut_ptr(), 2),
                CKR_OK
            );
            let (mut key, mut found) = (0, 0);
            functions.C_FindObjects.unwrap()(session, &mut key, 1, &mut found);
            functions.C_FindObjectsFinal.unwrap()(session);
            assert_eq!(found, 1);
            Self {
                functions,
                session,
                key,
                mechanism,
            }
        }
    }

    #[allow(unsafe_code)]
    fn sign(&self, data: &mut [u8], signature: &mut [u8]) -> usize {
        let mut mechanism = CK_MECHANISM {
            mechanism: self.mechanism,
            pParameter: ptr::null_mut(),
            ulParameterLen: 0,
        };
        let mut len = signature.len() as CK_ULONG;
        // SAFETY: session and key are good, and every pointer outlives its call.
        unsafe {
            let init = self.functions.C_SignInit.unwrap();
            assert_eq!(init(self.session, &mut mechanism, self.key), CKR_OK);
            let sign = self.functions.C_Sign.unwrap();
            let rv = sign(
                self.session,
                data.as_mut_ptr(),
                data.len() as CK_ULONG,
                signature.as_mut_ptr(),
                &mut len,
            );
            assert_eq!(rv, CKR_OK);
        }
        len as usize
    }
}

fn attribute<T>(kind: CK_ATTRIBUTE_TYPE, value: &mut T) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::from_mut(value).cast(),
        ulValueLen: size_of::<T>() as CK_ULONG,
    }
}

fn assertions(criterion: &mut Criterion) {
    let hsm = SoftHsm::new("bench");
    hsm.init_token("bench");
    hsm.generate("bench", "rsa:2048", "01", "rsa", &[]);
    hsm.generate("bench", "EC:prime256v1", "02", "ec", &[]);
    for (label, id, alg, mechanism) in [
        ("ec", 2, Algorithm::ES256, CKM_ECDSA),
        ("rsa", 1, Algorithm::RS256, CKM_RSA_PKCS),
    ] {
        let client = client(label);
        let jwt = client
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap();
        let message = jwt.rsplit_once('.').unwrap().0.as_bytes().to_vec();
        let signer = client.signers().remove(0).expect("the key is open");
        let key = signer.public_key().clone();
        let raw = Raw::new(id, mechanism);
        let mut buffer = [0; 512];
        let floor = || {
            let digest = sha256(&message);
            let mut data = match alg {
                Algorithm::RS256 => [&DIGEST_INFO[..], &digest].concat(),
                _ => digest.to_vec(),
            };
            let len = raw.sign(&mut data, &mut buffer);
            assert!(key.verify(alg, &message, &buffer[..len]));
        };
        let ours = || {
            client
                .assertion(&TokenRequest::default(), &Call::none())
                .unwrap()
        };
        let name = format!("{alg} assertion, SoftHSM key, to raw C_Sign and verification");
        support::compare(criterion, &name, floor, ours);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = assertions
}
criterion_main!(benches);
