//! The service: network, clock, tokens, and the shared cache.

use super::*;

#[test]
fn a_clock_that_is_wrong_is_told_with_and_without_a_token() {
    for arguments in [&[][..], &["--no-token"]] {
        for (ahead, direction) in [(60, "behind"), (-60, "ahead of")] {
            let desk = Desk::ahead_by(ahead);
            let found = desk.json(&desk.bank(), arguments);
            let clock = found.get("bank", "clock");
            assert_eq!(clock["status"], "warning", "{clock}");
            says(clock, "what", direction);
            says(clock, "remedy", "NTP");
            let token = if arguments.is_empty() {
                "ok"
            } else {
                "skipped"
            };
            assert_eq!(found.get("bank", "token")["status"], token);
            assert_eq!(found.code, Some(0));
        }
    }
    let desk = Desk::ahead_by(1000);
    let found = desk.json(&desk.bank(), &[]);
    let clock = found.get("bank", "clock");
    assert_eq!(clock["status"], "failed", "{clock}");
    says(clock, "remedy", "NTP");
    assert_eq!(found.get("bank", "token")["status"], "failed");
    assert_eq!(found.code, Some(1));
}

#[test]
fn refusals_are_told_with_what_the_service_said() {
    let desk = Desk::new();
    let unknown = desk
        .bank()
        .replace("client_id = \"bank\"", "client_id = \"nobody\"");
    let found = desk.json(&unknown, &[]);
    let token = found.get("bank", "token");
    assert_eq!(token["name"], "TOKEN_CLIENT_UNKNOWN", "{token:#}");
    assert!(
        token["trace_id"].is_string() && token["remedy"].is_string(),
        "{token:#}"
    );
    assert_eq!(found.code, Some(1));

    let closed = desk.bank().replace("bank:saldo", "bank:closed");
    let found = desk.json(&closed, &[]);
    let token = found.get("bank", "token");
    assert_eq!(token["provider_code"], "MP-250", "{token:#}");
    assert_eq!(token["name"], "TOKEN_SCOPE_NOT_GRANTED");
    assert_eq!(found.code, Some(1));
    let run = desk.run(&closed, &[]);
    let line = run
        .stdout
        .lines()
        .find(|line| line.contains("[TOKEN_"))
        .unwrap();
    assert!(
        line.contains("TOKEN_SCOPE_NOT_GRANTED 534, MP-250, HTTP 4"),
        "{line}"
    );
    assert!(line.contains("trace id "), "{line}");
    assert!(run.stdout.contains("To do: "), "{}", run.stdout);
    assert!(
        run.stdout.trim_end().ends_with("1 failed, 8 ok, 1 skipped"),
        "{}",
        run.stdout
    );

    let on_no_client = desk.bank().replace("bank:saldo", "bank:other");
    let found = desk.json(&on_no_client, &[]);
    assert_eq!(found.get("bank", "token")["provider_code"], "MP-200");
}

#[test]
fn a_server_that_cannot_be_reached_may_be_there_later() {
    let desk = Desk::new();
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let base = &desk.simulator.urls().base;
    let away = desk
        .bank()
        .replace(base, &format!("http://127.0.0.1:{port}"));
    let found = desk.json(&away, &[]);
    let network = found.get("bank", "network");
    assert_eq!(
        (&network["status"], &network["name"]),
        (&"failed".into(), &"NETWORK".into())
    );
    assert_eq!(found.get("bank", "clock")["status"], "skipped");
    assert_eq!(found.get("bank", "token")["status"], "skipped");
    assert_eq!(found.get("bank", "registration")["status"], "ok");
    assert_eq!(found.code, Some(3));

    // Beside it, a client that is well and one that needs a person.
    let well = desk.bank().replace("[clients.bank]", "[clients.well]");
    let both = format!("{away}{well}");
    let found = desk.json(&both, &[]);
    assert_eq!(
        (found.statuses("well"), found.code),
        (ALL_WELL.to_vec(), Some(3))
    );
    let found = desk.json(&both, &["well"]);
    assert_eq!((found.statuses("bank"), found.code), (vec![], Some(0)));
    let broken = well
        .replace("[clients.well]", "[clients.broken]")
        .replace("file:rsa.pem", "file:none.pem");
    let found = desk.json(&format!("{both}{broken}"), &[]);
    assert_eq!(found.get("broken", "key")["name"], "IO");
    assert_eq!(
        (found.statuses("well"), found.code),
        (ALL_WELL.to_vec(), Some(1))
    );
}

#[test]
fn an_outage_may_pass() {
    let desk = Desk::new();
    let outage = Outage::new(OutageKind::ServiceUnavailable);
    desk.simulator.set_outage(Some(outage));
    let found = desk.json(&desk.bank(), &["--timeout", "2"]);
    let token = found.get("bank", "token");
    assert_eq!(
        (&token["status"], &token["retryable"]),
        (&"failed".into(), &true.into())
    );
    says(token, "what", "HTTP 503");
    assert_eq!(found.code, Some(3));
}

#[test]
fn a_step_that_takes_long_is_told_meanwhile() {
    let desk = Desk::new();
    let mut outage = Outage::new(OutageKind::Slow);
    outage.delay_ms = 4000;
    desk.simulator.set_outage(Some(outage));
    let run = desk.run(&desk.bank(), &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    let told = "segl: client \"bank\": asking for a token …\n";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    // Nothing beside the JSON.
    assert_eq!(desk.json(&desk.bank(), &[]).code, Some(0));
}

#[test]
fn an_idporten_client_has_no_token() {
    let desk = Desk::new();
    let toml = "[clients.login]\nprofile = \"idporten\"\nenvironment = \"test\"\nclient_id = \"c\"\n\
                key = \"file:rsa.pem\"\nkid = \"file\"\n";
    let found = desk.json(toml, &[]);
    let status = |check| found.get("login", check)["status"].as_str().unwrap();
    assert_eq!((status("token"), status("network")), ("skipped", "skipped"));
    says(found.get("login", "token"), "what", "segl assert");
    assert_eq!((status("settings"), status("registration")), ("ok", "note"));
    assert_eq!(found.code, Some(0));
}

#[test]
fn the_settings_may_leave_scopes_to_each_request() {
    let desk = Desk::new();
    let toml = desk.bank().replace("scopes = [\"bank:saldo\"]\n", "");
    let found = desk.json(&toml, &[]);
    let token = found.get("bank", "token");
    assert_eq!(token["status"], "skipped", "{token}");
    says(token, "what", "--scope");
    assert_eq!(found.code, Some(0));
}

#[cfg(feature = "redis")]
#[test]
fn the_shared_cache_is_written_and_read() {
    let desk = Desk::new();
    let mut server = redis_server::Server::start();
    desk.write("seal", "A".repeat(43).as_bytes());
    let shared = format!(
        "[clients.bank.shared_cache]\nurl = \"redis://127.0.0.1:{}\"\nkey = \"file:{}\"\n",
        server.port,
        desk.path("seal").display()
    );
    let toml = desk.bank() + &shared;
    let found = desk.json(&toml, &[]);
    let cache = found.get("bank", "shared_cache");
    assert_eq!(
        (&cache["status"], found.code),
        (&"ok".into(), Some(0)),
        "{cache}"
    );
    server.kill();
    let found = desk.json(&toml, &[]);
    let cache = found.get("bank", "shared_cache");
    assert_eq!(
        (&cache["status"], found.code),
        (&"failed".into(), Some(3)),
        "{cache}"
    );
    assert_eq!(
        found.get("bank", "token")["status"],
        "ok",
        "it does without"
    );
}
