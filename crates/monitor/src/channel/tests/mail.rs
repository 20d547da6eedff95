//! Mail servers: where e-mail may not go, and what becomes of what a server refuses. How it goes to
//! a real one is tested end to end.

use super::*;
use crate::definition::{EmailDefinition, SmtpTls};

const BUSY: &str = "busy";

/// A mail server of a few lines, which refuses every recipient whose address begins with `no`, and is too busy for one
/// that begins with `slow` the first time, which is noted among the mails.
fn server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&mails);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap(), &seen);
        }
    });
    (port, mails)
}

fn serve(mut stream: TcpStream, mails: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 test");
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let upper = line.to_uppercase();
        if upper.starts_with("RCPT") && upper.contains("<NO") {
            say("550 5.1.1 nobody here");
        } else if upper.contains("<SLOW") && !mails.lock().unwrap().contains(&BUSY.to_owned()) {
            mails.lock().unwrap().push(BUSY.to_owned());
            say("451 4.3.2 busy");
        } else if upper.starts_with("DATA") {
            say("354 go on");
            let mut mail = String::new();
            while !mail.ends_with("\r\n.\r\n") {
                reader.read_line(&mut mail).unwrap();
            }
            mails.lock().unwrap().push(mail);
            say("250 taken");
        } else if upper.starts_with("QUIT") {
            say("221 bye");
            return;
        } else {
            say("250 good");
        }
    }
}

fn mail(port: u16, to: &[&str], allow_private: bool) -> ChannelDefinition {
    let email = EmailDefinition {
        host: "localhost".to_owned(),
        port,
        tls: SmtpTls::None,
        user: None,
        password: None,
        from: "Tillwatch <tillwatch@example.com>".to_owned(),
        to: to.iter().map(|address| (*address).to_owned()).collect(),
        allow_private,
    };
    ChannelDefinition::new("team", ChannelKind::Email(email))
}

#[tokio::test]
async fn a_mail_server_in_the_private_network_is_refused_before_anything_is_sent() {
    let (port, mails) = server();
    let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, mail(port, &["ada@example.com"], false));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
    let text = "team: `localhost` does not lead to a public address".to_owned();
    assert_eq!(last_entry(&catalogue), (TimelineKind::DeliveryFailed, text));
    assert!(mails.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_is_refused_by_the_server_keeps_nobody_else_from_being_told() {
    let (port, mails) = server();
    let to = ["ada@example.com", "no.one@example.com", "bo@example.com"];
    let catalogue = with_transitions(&[(hostile(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, mail(port, &to, true));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), DELIVERED);
    assert_eq!(mails.lock().unwrap().len(), 2);
    let (kind, text) = last_entry(&catalogue);
    assert_eq!(kind, TimelineKind::Delivered);
    assert!(
        text.contains("not to no.one@example.com: answered 550"),
        "{text}"
    );
    let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, mail(port, &["no@example.com"], true));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), FAILED);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, mail(port, &["ada@example.com"], true));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
}

#[tokio::test]
async fn who_has_taken_a_mail_is_not_sent_it_again_because_another_has_to_wait() {
    let (port, mails) = server();
    let to = ["ada@example.com", "slow@example.com", "no@example.com"];
    let catalogue = with_transitions(&[(example(), TimelineKind::Opened)]);
    let courier = courier_of(&catalogue, mail(port, &to, true));
    assert_eq!(courier.deliver_due(NOW).await.unwrap(), RETRIED);
    let taken = || {
        let mails = mails.lock().unwrap();
        mails.iter().filter(|mail| *mail != BUSY).count()
    };
    assert_eq!(taken(), 1);
    let later = NOW + 3600 * SECOND;
    assert_eq!(courier.deliver_due(later).await.unwrap(), DELIVERED);
    assert_eq!(taken(), 2);
    let (_, text) = last_entry(&catalogue);
    assert!(text.contains("not to no@example.com"), "{text}");
}
