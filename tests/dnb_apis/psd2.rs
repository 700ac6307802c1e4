//! Accounts and payments for third parties.

use segl::apis::DnbPsd2;
use segl::apis::dnb::{
    AccountAccess, AccountKind, AccountReference, AccountUse, Amount, BankId, BookingStatus,
    ConsentVersion, Payment, Psu, PsuId, TransactionQuery, WantedConsent,
};
use segl::{Call, ErrorCode};
use serde_json::{Value, json};

use crate::world::{PERSON, World, run};

const ACCOUNTS: &str = r#"
[[dnb.psd2.accounts]]
psu_id = "23079422568"
resource_id = "a/1?2"
bban = "12035864022"
name = "Lønn"
balance = "1234.50"
transactions = [
    { transactionId = "t1", bookingDate = "2026-01-10", transactionAmount = { currency = "NOK", amount = "-10.10" } },
    { transactionId = "t2", bookingDate = "2026-02-10", transactionAmount = { currency = "NOK", amount = "0.30" } },
    { transactionId = "t3", transactionAmount = { currency = "NOK", amount = "-1" } },
]
[[dnb.psd2.accounts]]
psu_id = "TB76688"
resource_id = "b"
bban = "12035864023"
balance = "1"
[[dnb.psd2.accounts]]
psu_id = "23079422568"
resource_id = "kort"
bban = "12035864024"
balance = "-7.00"
card = true
"#;

fn psd2(world: &World) -> DnbPsd2 {
    DnbPsd2::new(world.client()).unwrap()
}

fn psu() -> Psu {
    let id: PsuId = PERSON.parse().unwrap();
    Psu::new(id)
        .at([192, 0, 2, 7].into())
        .with_user_agent("Firefox")
}

/// A consent that the person has approved.
fn consent(world: &World, frequency: u8) -> BankId {
    let access = AccountAccess::default();
    let wanted =
        WantedConsent::recurring(access, "2099-01-01".parse().unwrap(), frequency).unwrap();
    let redirect = "https://tpp.example/back".parse().unwrap();
    let created = psd2(world)
        .create_consent(
            ConsentVersion::V1,
            &wanted,
            &psu(),
            &redirect,
            &Call::none(),
        )
        .unwrap();
    assert_eq!(created.status, "received");
    assert!(
        created
            .sca_redirect
            .unwrap()
            .as_str()
            .ends_with(created.id.as_str())
    );
    world.approve(created.id.as_str());
    created.id
}

#[test]
fn accounts_are_read_with_a_consent_and_without_a_token() {
    let world = World::new(ACCOUNTS);
    let (bank, none) = (psd2(&world), Call::none());
    let consent = consent(&world, 4);
    let status = bank.consent_status(ConsentVersion::V2, &consent, &psu(), &none);
    assert_eq!(status.unwrap(), "valid");
    let with = AccountUse::new(AccountKind::Accounts, consent.clone(), psu());
    let accounts = bank.accounts(&with, &none).unwrap();
    assert_eq!(accounts.len(), 1);
    let id = accounts[0].resource_id.clone().unwrap();
    assert_eq!(id.as_str(), "a/1?2");
    assert_eq!(format!("{:?}", accounts[0]), "Account([redacted])");
    assert_eq!(
        bank.account(&with, &id, &none).unwrap().bban.unwrap(),
        "12035864022"
    );
    let balances = bank.balances(&with, &id, &none).unwrap();
    assert_eq!(balances[0].balance_amount.amount.as_str(), "1234.50");

    let days = |from: &str, to: &str| {
        let query = TransactionQuery::new(
            BookingStatus::Both,
            Some(from.parse().unwrap()),
            Some(to.parse().unwrap()),
        );
        bank.transactions(&with, &id, &query.unwrap(), &none)
            .unwrap()
    };
    let all = days("2026-01-01", "2026-12-31");
    assert_eq!(
        (all.booked.len(), all.pending.len(), all.is_more),
        (2, 1, false)
    );
    assert_eq!(all.booked[0].transaction_amount.amount.as_str(), "-10.10");
    assert_eq!(days("2026-02-10", "2026-02-10").booked.len(), 1);
    let booked = TransactionQuery::new(BookingStatus::Booked, None, None).unwrap();
    assert!(
        bank.transactions(&with, &id, &booked, &none)
            .unwrap()
            .pending
            .is_empty()
    );

    let cards = AccountUse::new(AccountKind::CardAccounts, consent.clone(), psu());
    let card = bank
        .accounts(&cards, &none)
        .unwrap()
        .remove(0)
        .resource_id
        .unwrap();
    assert_eq!(
        bank.balances(&cards, &card, &none).unwrap()[0]
            .balance_amount
            .amount
            .as_str(),
        "-7.00"
    );
    assert!(
        bank.transactions(&cards, &card, &booked, &none)
            .unwrap()
            .booked
            .is_empty()
    );
    let error = bank.account(&cards, &id, &none).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotFound, "{error}");

    bank.delete_consent(ConsentVersion::V1, &consent, &psu(), &none)
        .unwrap();
    let error = bank.accounts(&with, &none).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiConsentRefused, "{error}");
    assert!(error.message().contains("new consent"), "{error}");
    assert_eq!(
        world.simulator.requests().dnb_token,
        0,
        "no token is asked for"
    );
}

#[test]
fn nobody_reads_more_often_than_the_consent_says() {
    let world = World::new("");
    let consent = consent(&world, 2);
    let bank = psd2(&world);
    let alone = AccountUse::new(AccountKind::Accounts, consent.clone(), Psu::default());
    let read = |with| bank.accounts(with, &Call::within(std::time::Duration::from_millis(400)));
    for _ in 0..2 {
        read(&alone).unwrap();
    }
    let error = read(&alone).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiRateLimited, "{error}");
    assert_eq!(
        error.details().provider_code.as_deref(),
        Some("ACCESS_EXCEEDED")
    );
    let attended = AccountUse::new(AccountKind::Accounts, consent, psu());
    read(&attended).unwrap();
    world.later(86_400);
    read(&alone).unwrap();
}

#[test]
fn a_consent_ends() {
    let world = World::new("");
    let wanted = WantedConsent::once(
        AccountAccess::default(),
        world.clock_day(0).parse().unwrap(),
    );
    let (bank, none) = (psd2(&world), Call::none());
    let redirect = "https://tpp.example/back".parse().unwrap();
    let created = bank
        .create_consent(ConsentVersion::V2, &wanted, &psu(), &redirect, &none)
        .unwrap();
    let with = AccountUse::new(AccountKind::Accounts, created.id.clone(), psu());
    let error = bank.accounts(&with, &none).unwrap_err();
    assert_eq!(
        error.details().provider_code.as_deref(),
        Some("CONSENT_INVALID"),
        "not approved"
    );
    world.approve(created.id.as_str());
    bank.accounts(&with, &none).unwrap();
    world.later(86_400);
    let error = bank.accounts(&with, &none).unwrap_err();
    assert_eq!(
        error.details().provider_code.as_deref(),
        Some("CONSENT_EXPIRED")
    );
    let before = world.simulator.requests().dnb_psd2;
    let error = bank
        .create_consent(ConsentVersion::V1, &wanted, &psu(), &redirect, &none)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    assert_eq!(
        world.simulator.requests().dnb_psd2,
        before,
        "nothing is sent"
    );
}

#[test]
fn a_payment_is_initiated_and_approved() {
    let world = World::new("");
    let (bank, none) = (psd2(&world), Call::none());
    let amount = Amount {
        currency: "NOK".parse().unwrap(),
        amount: "100.10".parse().unwrap(),
    };
    let payment = Payment::new(
        amount,
        AccountReference::bban("12035864022").unwrap(),
        AccountReference::iban("NO9386011117947").unwrap(),
        "Kari Nordmann",
    )
    .unwrap()
    .with("remittanceInformationUnstructured", "Takk")
    .unwrap();
    assert!(payment.clone().with("creditorName", "Other").is_err());
    assert!(payment.clone().with("fee", json!({"amount": 1.5})).is_err());
    let product = "norwegian-domestic-credit-transfers".parse().unwrap();
    let redirect = "https://tpp.example/back".parse().unwrap();
    let created = bank
        .create_payment(&product, &payment, &psu(), &redirect, &none)
        .unwrap();
    assert_eq!(created.status, "RCVD");
    assert!(created.sca_redirect.is_some());
    world.approve(created.id.as_str());
    let status = bank
        .payment_status(&product, &created.id, &psu(), &none)
        .unwrap();
    assert_eq!(status, "ACSC");
    let input = json!({"product": product.as_str(), "payment_id": created.id});
    let read = run(&world.client(), "dnb.psd2_payment", &input).unwrap();
    assert_eq!(
        read["instructedAmount"],
        json!({"currency": "NOK", "amount": "100.10"})
    );
    assert_eq!(read["creditorAccount"], json!({"iban": "NO9386011117947"}));
    assert_eq!(read["remittanceInformationUnstructured"], "Takk");
    let unknown = "other".parse().unwrap();
    let error = bank
        .create_payment(&unknown, &payment, &psu(), &redirect, &none)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotFound);
}

#[test]
fn operations_say_what_the_types_say() {
    let world = World::new(ACCOUNTS);
    let client = world.client();
    let psu = json!({"id": PERSON, "ip_address": "2001:db8::1"});
    let consent = json!({
        "version": "v2",
        "consent": {
            "access": {"balances": [{"bban": "12035864022"}]},
            "validUntil": "2099-01-01", "frequencyPerDay": 4, "recurringIndicator": true,
        },
        "psu": psu, "redirect_uri": "https://tpp.example/back",
    });
    let created = run(&client, "dnb.psd2_create_consent", &consent).unwrap();
    let id = created["consentId"].as_str().unwrap();
    world.approve(id);
    let about = |more: Value| {
        let mut input = json!({"consent_id": id, "psu": psu});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let read = run(
        &client,
        "dnb.psd2_consent",
        &about(json!({"version": "v2"})),
    )
    .unwrap();
    assert_eq!(read["access"]["balances"][0]["bban"], "12035864022");
    let status = run(&client, "dnb.psd2_consent_status", &about(json!({}))).unwrap();
    assert_eq!(status, json!({"consentStatus": "valid"}));
    let accounts = run(&client, "dnb.psd2_accounts", &about(json!({}))).unwrap();
    let account = &accounts["accounts"][0]["resourceId"];
    let of = |more: Value| {
        let mut input = about(more);
        input["account_id"] = account.clone();
        input
    };
    let one = run(&client, "dnb.psd2_account", &of(json!({}))).unwrap();
    assert_eq!(one["account"]["name"], "Lønn");
    let balances = run(&client, "dnb.psd2_balances", &of(json!({}))).unwrap();
    assert_eq!(
        balances["balances"][0]["balanceAmount"]["amount"],
        "1234.50"
    );
    let query = json!({"booking_status": "booked", "date_from": "2026-02-01"});
    let booked = run(&client, "dnb.psd2_transactions", &of(query)).unwrap();
    assert_eq!(
        booked["transactions"]["booked"].as_array().unwrap().len(),
        1
    );
    assert!(booked["transactions"].get("pending").is_none());
    let deleted = run(&client, "dnb.psd2_delete_consent", &about(json!({}))).unwrap();
    assert_eq!(deleted, json!({"deleted": true}));
    let cards = about(json!({"kind": "card_accounts"}));
    let error = run(&client, "dnb.psd2_accounts", &cards).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiConsentRefused);
}

#[test]
fn what_the_bank_would_refuse_is_refused_before_anything_is_sent() {
    let world = World::new("");
    let client = world.client();
    let consent = json!({
        "consent": {"access": {}, "validUntil": "2099-01-01", "frequencyPerDay": 4, "recurringIndicator": true},
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/back",
    });
    let payment = json!({
        "product": "norwegian-domestic-credit-transfers",
        "payment": {
            "instructedAmount": {"currency": "NOK", "amount": "1.00"},
            "debtorAccount": {"bban": "12035864022"}, "creditorAccount": {"bban": "12035864023"},
            "creditorName": "Kari",
        },
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/back",
    });
    let cases = [
        (&consent, "/psu/id", json!("23079422569")),
        (&consent, "/psu/id", json!("T476688")),
        (&consent, "/psu/id", json!(23_079_422_568_u64)),
        (&consent, "/psu", json!({"ip_address": "localhost"})),
        (&consent, "/redirect_uri", json!("http://tpp.example/")),
        (&consent, "/consent/validUntil", json!("2020-01-01")),
        (&consent, "/consent/validUntil", json!("01.01.2099")),
        (&consent, "/consent/frequencyPerDay", json!(5)),
        (&consent, "/consent/frequencyPerDay", json!(0)),
        (&consent, "/consent/recurringIndicator", json!(false)),
        (
            &consent,
            "/consent/access",
            json!({"accounts": [{"iban": "NO9386011117948"}]}),
        ),
        (&consent, "/consent/access", json!({"accounts": [{}]})),
        (&payment, "/product", json!("../consents")),
        (&payment, "/payment/instructedAmount/amount", json!("0")),
        (&payment, "/payment/instructedAmount/amount", json!("-1")),
        (&payment, "/payment/instructedAmount/amount", json!("1,5")),
        (&payment, "/payment/instructedAmount/currency", json!("kr")),
        (
            &payment,
            "/payment/creditorAccount",
            json!({"bban": "1203.58.64022"}),
        ),
        (
            &payment,
            "/payment/creditorAccount",
            json!({"bban": "1", "iban": "NO9386011117947"}),
        ),
        (&payment, "/payment/creditorName", json!("")),
    ];
    for (input, at, value) in cases {
        let mut wrong = input.clone();
        *wrong.pointer_mut(at).unwrap() = value.clone();
        let operation = match input == &consent {
            true => "dnb.psd2_create_consent",
            false => "dnb.psd2_create_payment",
        };
        let error = run(&client, operation, &wrong).unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::InvalidArgument,
            "{at} {value}: {error}"
        );
        assert!(!format!("{error:?}").contains("2307942"), "{error:?}");
    }
    assert_eq!(world.simulator.requests().dnb_psd2, 0);
}

/// The simulator is as strict as the bank with those who do not use segl.
#[test]
fn what_is_no_amount_is_no_payment() {
    let world = World::new("");
    let url = format!(
        "{}/v1/payments/norwegian-domestic-credit-transfers",
        world.simulator.urls().dnb_psd2
    );
    let status = |amount: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let payment = json!({
            "instructedAmount": {"currency": "NOK", "amount": amount},
            "debtorAccount": {"bban": "12035864022"},
            "creditorAccount": {"bban": "12035864023"},
            "creditorName": "Kari",
        });
        let answer = agent
            .post(&url)
            .header("Content-Type", "application/json")
            .header("X-Request-ID", "77ed8698-e619-4066-9eb4-5c1eb3f165a1")
            .header("PSU-ID", PERSON)
            .header("TPP-Redirect-URI", "https://tpp.example/back")
            .send(payment.to_string());
        answer.unwrap().status().as_u16()
    };
    assert_eq!(status("12.50"), 201);
    for amount in ["", "0", "-1", "twelve", "NaN", "inf", "1e3", "1,5", "1.2.3"] {
        assert_eq!(status(amount), 400, "{amount}");
    }
}
