//! URLs that a secret may be sent to: they are https or stay on this machine, and have no
//! place for a password, which no error shows.

use segl::{Endpoint, ErrorCode};

use super::private::{MARK, assert_hidden};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match text.parse::<Endpoint>() {
        Ok(endpoint) => accepted(&endpoint),
        Err(error) => assert_eq!(error.code(), ErrorCode::Url),
    }
    // A scheme or host is shown in lower case, and line breaks are left out.
    if text.to_lowercase().contains(MARK) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return;
    }
    for wrong in [
        format!("https://user:{MARK}@{text}"),
        format!("{text}?{MARK}#fragment"),
        format!("ftp://host/?{MARK}{text}"),
    ] {
        let error = wrong.parse::<Endpoint>().unwrap_err();
        assert_hidden(&error, "a URL");
    }
}

fn accepted(endpoint: &Endpoint) {
    let printed = endpoint.to_string();
    assert_eq!(printed, endpoint.as_str());
    assert_eq!(&printed.parse::<Endpoint>().unwrap(), endpoint);
    let is_local = ["http://127.", "http://[::1]", "http://localhost"]
        .iter()
        .any(|start| printed.starts_with(start));
    assert!(printed.starts_with("https://") || is_local, "{printed}");
    let authority = endpoint.authority();
    assert!(
        !authority.is_empty() && !authority.contains('@'),
        "{printed}"
    );
    assert!(!printed.contains('#'), "{printed}");
    assert!(endpoint.covers(endpoint));
    let bare = endpoint.without_query();
    assert!(!bare.contains('?'), "{bare}");
    let bare: Endpoint = bare.parse().unwrap();
    assert!(bare.covers(endpoint) && endpoint.covers(&bare));
    let origin: Endpoint = endpoint.origin().parse().unwrap();
    assert!(origin.covers(endpoint));
    assert_eq!(origin.authority(), authority);
}
