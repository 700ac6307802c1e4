//! Where KMS and STS are: region, partition and endpoint.

use super::credentials::Profiles;
use super::variables::{is_true, variable};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::{AwsKmsUri, is_region};

/// The services of one region.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) kms: Endpoint,
    pub(super) sts: Endpoint,
}

impl Place {
    /// The place of the key. The region: that of the URI, which may be its ARN's, else
    /// `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's. The endpoint: that of the URI,
    /// else `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL`, AWS's own.
    ///
    /// # Errors
    /// `KMS_REGION`; `URL` when a variable holds no proper endpoint, or one where AWS's
    /// own with validated cryptography is asked for.
    pub(super) fn of(uri: &AwsKmsUri) -> Result<Self> {
        let region = match uri.region() {
            Some(region) => region.to_owned(),
            None => configured_region(uri)?,
        };
        if !is_region(&region) {
            return Err(Error::new(
                ErrorCode::KmsRegion,
                format!(
                    "\"{}\" is no AWS region; write for example eu-north-1",
                    region.escape_debug()
                ),
            ));
        }
        let fips = uri.fips() || is_true("AWS_USE_FIPS_ENDPOINT");
        let kms = match uri.endpoint() {
            Some(endpoint) => endpoint.clone(),
            None => endpoint("kms", "AWS_ENDPOINT_URL_KMS", &region, fips)?,
        };
        let sts = endpoint("sts", "AWS_ENDPOINT_URL_STS", &region, fips)?;
        Ok(Self { region, kms, sts })
    }
}

fn configured_region(uri: &AwsKmsUri) -> Result<String> {
    if let Some(region) = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")) {
        return Ok(region);
    }
    let profiles = Profiles::load(uri.profile())?;
    profiles.region().ok_or_else(|| {
        Error::new(
            ErrorCode::KmsRegion,
            format!("{uri}: no AWS region is set; add ?region=…, name the key by its ARN, or set AWS_REGION"),
        )
    })
}

fn endpoint(service: &str, own_variable: &str, region: &str, fips: bool) -> Result<Endpoint> {
    if !is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        for name in [own_variable, "AWS_ENDPOINT_URL"] {
            if let Some(url) = variable(name) {
                if fips {
                    return Err(Error::new(
                        ErrorCode::Url,
                        format!(
                            "fips=true or AWS_USE_FIPS_ENDPOINT chooses AWS's endpoint with validated cryptography for \
                             {service}, but variable {name} names another; remove one of them, or set \
                             AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"
                        ),
                    ));
                }
                return url
                    .parse()
                    .map_err(|error: Error| error.in_context(format_args!("variable {name}")));
            }
        }
    }
    let fips = if fips { "-fips" } else { "" };
    format!("https://{service}{fips}.{region}.{}/", suffix(region)).parse()
}

/// The end of the names of a partition's hosts (botocore's `partitions.json`).
fn suffix(region: &str) -> &'static str {
    const SUFFIXES: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("eusc-", "amazonaws.eu"),
    ];
    let own = SUFFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    own.map_or("amazonaws.com", |(_, suffix)| suffix)
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_partition_has_its_hosts() {
        for (region, suffix) in [
            ("eu-north-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("eusc-de-east-1", "amazonaws.eu"),
        ] {
            assert_eq!(super::suffix(region), suffix);
        }
    }
}
