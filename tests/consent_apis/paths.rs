//! Paths that callers give never lead out of the base URL.

use proptest::prelude::*;
use segl::apis::{ApiPath, ConsentQuery, Skatteetaten};
use segl::{Call, TokenRequest};
use serde_json::json;

use crate::world::{Host, KARI, person};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_below_the_base_url(
        text in "([a-cæ.]{0,3}|\\{person\\}|[ ;:@=&+~*]{1,2}|[?#%\\\\])(/([a-cæ.]{0,3}|\\{person\\}|[ ;:@=&+]{1,2})){0,3}",
    ) {
        let Ok(path) = text.parse::<ApiPath>() else {
            return Ok(());
        };
        let host = Host::answering(&[(200, "{}")]);
        let services = json!({ "skatteetaten": { "base_url": "https://api.example/base" } });
        let client = host.client("test", &services);
        let tax = Skatteetaten::new(client, TokenRequest::default()).unwrap();
        let query = ConsentQuery::new(path).with_person(person(KARI));
        tax.get(&query, &Call::none()).unwrap();
        let (url, _) = host.sent(0);
        let below = url.strip_prefix("https://api.example/base/").expect("below the base");
        let segments = text.strip_prefix('/').unwrap_or(&text).split('/').count();
        prop_assert_eq!(below.split('/').count(), segments);
        prop_assert!(!below.contains(['?', '#']));
        prop_assert!(!below.split('/').any(|segment| segment.is_empty() || segment == ".."));
    }
}
