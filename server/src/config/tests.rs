use std::collections::HashMap;

use super::*;

const TEN_LINES: &str = r#"
[whatsapp]
app_id = "1234567890"
app_secret = "0123456789abcdef"
verify_token = "tell-nobody"
access_token = "EAAG123"
phone_number_id = "106540352242922"
business_account_id = "102290129340398"
"#;

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let source = Source::parse("baton.toml", text)?;
    Settings::from_source(&source, Path::new(""), &|name| variables.get(name).map(|text| (*text).to_owned()))
}

#[track_caller]
fn refused(text: &str, variables: &[(&str, &str)], line: &str) {
    let error = load(text, variables).expect_err("refused").to_string();
    assert_eq!(error, line);
    assert!(!error.contains('\n'));
}

#[test]
fn ten_lines_are_enough_and_need_no_model() {
    let settings = load(TEN_LINES, &[]).unwrap();
    settings.ready_to_serve().unwrap();
    assert_eq!(settings.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(settings.database_url.reveal(), "sqlite://baton.db");
    assert_eq!(settings.whatsapp.graph_url, "https://graph.facebook.com/v26.0");
    assert_eq!(settings.whatsapp.apps[0].name, "default");
    assert_eq!(settings.whatsapp.channels[0].app, "default");
    assert_eq!(settings.inbox.grace, Duration::from_secs(60));
    assert!(settings.models.is_empty());
}

#[test]
fn the_environment_alone_is_enough_and_overrides_the_file() {
    let variables = [
        ("BATON_LISTEN", "0.0.0.0:9000"),
        ("BATON_DATABASE_URL", "postgres://baton@db/baton"),
        ("BATON_INBOX_GRACE_SECONDS", "90"),
        ("WHATSAPP_APP_ID", "1"),
        ("WHATSAPP_APP_SECRET", "new"),
        ("WHATSAPP_APP_SECRET_PREVIOUS", "old"),
        ("WHATSAPP_VERIFY_TOKEN", "v"),
        ("WHATSAPP_ACCESS_TOKEN", "a"),
        ("WHATSAPP_PHONE_NUMBER_ID", "2"),
        ("WHATSAPP_BUSINESS_ACCOUNT_ID", "3"),
        ("WHATSAPP_GRAPH_URL", "http://127.0.0.1:4000/v26.0/"),
        ("BATON_MODEL_PROVIDER", "anthropic"),
        ("BATON_MODEL_NAME", "claude-haiku-5-5"),
        ("ANTHROPIC_API_KEY", "sk-1"),
    ];
    for file in ["", TEN_LINES] {
        let settings = load(file, &variables).unwrap();
        assert_eq!(settings.listen.port(), 9000);
        assert_eq!(settings.database_url.reveal(), "postgres://baton@db/baton");
        assert_eq!(settings.inbox.grace, Duration::from_secs(90));
        assert_eq!(settings.whatsapp.graph_url, "http://127.0.0.1:4000/v26.0");
        assert_eq!(settings.whatsapp.apps[0].secret.reveal(), "new");
        assert_eq!(settings.whatsapp.apps[0].secret_previous.as_ref().unwrap().reveal(), "old");
        assert_eq!(settings.whatsapp.channels[0].phone_number_id, "2");
        assert_eq!(settings.models[0].api_key.as_ref().unwrap().reveal(), "sk-1");
        assert_eq!(settings.models[0].base_url, "https://api.anthropic.com");
    }
}

#[test]
fn several_apps_numbers_and_models() {
    let text = format!(
        "{TEN_LINES}
        [[app]]
        name = \"second\"
        app_id = \"2\"
        app_secret = \"s2\"
        verify_token = \"v2\"
        [[channel]]
        name = \"outlet\"
        app = \"second\"
        phone_number_id = \"22\"
        business_account_id = \"23\"
        [[model]]
        provider = \"other\"
        base_url = \"http://127.0.0.1:5000/v1\"
        name = \"small\"
        [[model]]
        provider = \"mistral\"
        name = \"mistral-small\"
        structured = \"object\""
    );
    let variables = [("WHATSAPP_ACCESS_TOKEN_OUTLET", "t2"), ("MISTRAL_API_KEY", "m")];
    let settings = load(&text, &variables).unwrap();
    assert_eq!(settings.whatsapp.apps.len(), 2);
    assert_eq!(settings.whatsapp.channels[1].access_token.reveal(), "t2");
    assert_eq!(settings.whatsapp.channels[1].app, "second");
    assert_eq!(settings.models[0].api_key, None);
    assert_eq!(settings.models[1].structured, Structured::Object);
}

#[test]
fn without_a_number_there_is_nothing_to_serve_but_accounts_can_be_made() {
    let why = load("", &[]).unwrap().ready_to_serve().unwrap_err().to_string();
    assert!(why.contains("WHATSAPP_PHONE_NUMBER_ID"), "{why}");
}

#[test]
fn every_error_names_key_found_and_expected() {
    refused(
        "listen = 8080",
        &[],
        "baton.toml:1: listen: found \"8080\", expected an address and port such as 127.0.0.1:8080",
    );
    refused(
        "\n[whatsapp]\napp_id = \"1\"\n",
        &[],
        "baton.toml:2: whatsapp.app_secret: found nothing, expected the app secret \
         (here or as WHATSAPP_APP_SECRET in the environment)",
    );
    refused(
        "\n[whatsapp]\napp_id = \"1\"\napp_secrt = \"x\"\n",
        &[],
        "baton.toml:4: whatsapp.app_secrt: found a key that does not exist, expected `app_secret`",
    );
    refused(
        "",
        &[("BATON_INBOX_GRACE_SECONDS", "soon")],
        "environment: BATON_INBOX_GRACE_SECONDS: found \"soon\", expected a whole number from 5 to 3600",
    );
    refused(
        "[inbox]\ngrace_second = 5",
        &[],
        "baton.toml:2: inbox.grace_second: found a key that does not exist, expected `grace_seconds`",
    );
    refused(
        "listen = \"",
        &[],
        "baton.toml:1: found a mistake in the TOML (invalid basic string, expected `\"`), expected a TOML file",
    );
    refused("[[inbox]]", &[], "baton.toml:1: inbox: found a list, expected a table");
}

#[test]
fn no_error_shows_a_secret() {
    let with_space = TEN_LINES.replace("EAAG123", "EAAG 123");
    refused(&with_space, &[], "baton.toml:6: whatsapp.access_token: found 8 characters, expected an access token");
    refused(
        "database_url = \"mysql://root:hunter2@db\"",
        &[],
        "baton.toml:1: database_url: found \"mysql://\", expected sqlite://FILE or postgres://USER@HOST/NAME",
    );
    let settings = load(TEN_LINES, &[]).unwrap();
    assert!(!format!("{settings:?}").contains("EAAG123"));
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
}

#[test]
fn a_model_without_its_key_is_refused() {
    refused(
        "[model]\nprovider = \"openai\"\nname = \"gpt\"",
        &[],
        "baton.toml:1: model.api_key: found nothing, expected OPENAI_API_KEY in the environment",
    );
}

#[test]
fn a_number_stands_only_once() {
    let text = format!(
        "{TEN_LINES}
[[channel]]
name = \"twin\"
phone_number_id = \"106540352242922\"
business_account_id = \"1\"
access_token = \"t\""
    );
    refused(&text, &[], "baton.toml:10: channel: found `106540352242922` twice, expected each name and number once");
}

#[test]
fn the_example_file_parses_and_shows_the_defaults() {
    let example = include_str!("../../../docs/baton.example.toml");
    let settings = load(example, &[]).unwrap();
    settings.ready_to_serve().unwrap();
    assert_eq!(settings.inbox, load("", &[]).unwrap().inbox);
    assert_eq!(settings.listen, load("", &[]).unwrap().listen);
    assert_eq!(settings.models[0].deadline, Duration::from_secs(20));
}

#[test]
fn nobody_speaks_as_the_sample_shop_who_has_not_said_so() {
    assert!(!load(TEN_LINES, &[]).unwrap().books[0].may_speak);
    let named = load(&format!("playbook = 'shop'\n{TEN_LINES}"), &[]).unwrap();
    assert!(named.books[0].may_speak && named.books[0].playbook.business == Playbook::shop().business);
    assert!(load(TEN_LINES, &[("BATON_PLAYBOOK", "shop")]).unwrap().books[0].may_speak);
}

#[test]
fn a_playbook_is_found_beside_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baton.toml");
    std::fs::write(&file, "playbook = \"mine.toml\"").unwrap();
    let error = Settings::load(Some(&file), &|_| None).unwrap_err();
    assert!(error.key == "playbook" && error.found.contains("mine.toml"), "{error}");
    std::fs::write(folder.path().join("mine.toml"), "business = \"B\"\nlanguages = [\"nl\"]").unwrap();
    let settings = Settings::load(Some(&file), &|_| None).unwrap();
    assert_eq!((settings.books[0].playbook.language(), settings.books[0].may_speak), (Language::DUTCH, true));
}

#[test]
fn a_number_may_have_a_playbook_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baton.toml");
    let channel = |name: &str, number: &str, playbook: &str| {
        let keys = format!("name = \"{name}\"\nphone_number_id = \"{number}\"\nbusiness_account_id = \"1\"");
        format!("[[channel]]\n{keys}\naccess_token = \"t\"\n{playbook}\n")
    };
    std::fs::write(folder.path().join("outlet.toml"), "business = \"Outlet\"\nlanguages = [\"en\"]").unwrap();
    let text = [
        TEN_LINES.into(),
        channel("one", "11", "playbook = \"outlet.toml\""),
        channel("two", "12", "playbook = \"./outlet.toml\""),
        channel("three", "13", ""),
        channel("four", "14", "playbook = \"outlet.toml\""),
    ];
    std::fs::write(&file, text.concat()).unwrap();
    let environment = |name: &str| (name == "WHATSAPP_PLAYBOOK_FOUR").then(|| "shop".to_owned());
    let settings = Settings::load(Some(&file), &environment).unwrap();
    let business = |number| settings.book_of(number).playbook.business.as_str();
    assert_eq!([business("11"), business("12"), business("14")], ["Outlet", "Outlet", "Marola"]);
    assert_eq!(settings.books.len(), 3, "each file is read once");
    assert!(!settings.book_of("13").may_speak && settings.book_of("14").may_speak);

    let wrong = [TEN_LINES.into(), channel("one", "11", "playbook = \"none.toml\"")];
    std::fs::write(&file, wrong.concat()).unwrap();
    let error = Settings::load(Some(&file), &|_| None).unwrap_err().to_string();
    assert!(error.contains("baton.toml:14: channel[1].playbook: found \"none.toml\" ("), "{error}");
    assert!(error.ends_with("expected the path of a playbook") && !error.contains('\n'), "{error}");
}

#[test]
fn files_are_kept_beside_the_database_unless_a_folder_is_named() {
    let media = |text: &str, variables: &[(&str, &str)]| load(&format!("{text}{TEN_LINES}"), variables).unwrap().media;
    assert_eq!(media("", &[]).shelf.folder(), Some(Path::new("media")));
    assert_eq!(
        media("database_url = 'sqlite:///var/lib/baton/baton.db?mode=rwc'\n", &[]).shelf.folder(),
        Some(Path::new("/var/lib/baton/media"))
    );
    assert_eq!(media("", &[("BATON_MEDIA_FOLDER", "/files"), ("BATON_MEDIA_MAX_MEGABYTES", "5")]).limit, 5 << 20);
    assert_eq!(media("", &[("BATON_MEDIA_FOLDER", "/files")]).shelf.folder(), Some(Path::new("/files")));
    assert!(media("", &[]).hosts.contains(&"fbsbx.com".to_owned()));
}

#[test]
fn a_host_is_a_name_and_nothing_around_it() {
    let text = format!("{TEN_LINES}[media]\nhosts = ['https://fbsbx.com/']\n");
    refused(&text, &[], "baton.toml:10: media.hosts: found \"https://fbsbx.com/\", expected a host such as fbsbx.com");
    let text = format!("{TEN_LINES}[media]\nmax_megabytes = 101\n");
    refused(&text, &[], "baton.toml:10: media.max_megabytes: found \"101\", expected a whole number from 1 to 100");
}

#[test]
fn a_misspelt_variable_is_named() {
    let known = ["BATON_LISTEN", "BATON_LOG", "WHATSAPP_ACCESS_TOKEN"].map(str::to_owned).into();
    let set = ["BATON_LISTN", "BATON_LOG", "WHATSAPP_ACESS_TOKEN", "BATON_TEST_POSTGRES_URL", "PATH", "LISTEN"];
    let expected = [("BATON_LISTN", "BATON_LISTEN"), ("WHATSAPP_ACESS_TOKEN", "WHATSAPP_ACCESS_TOKEN")];
    assert_eq!(misspelt(set, &known), expected);
}

#[test]
fn files_may_lie_in_a_bucket() {
    let media = |text: &str, variables: &[(&str, &str)]| load(&format!("{TEN_LINES}[media]\n{text}"), variables);
    let key = [("BATON_MEDIA_ACCESS_KEY_ID", "AKIA"), ("BATON_MEDIA_SECRET_ACCESS_KEY", "hush")];
    let Shelf::Bucket(bucket) =
        media("bucket = 's3://files/baton/'\nregion = 'eu-central-1'", &key).unwrap().media.shelf
    else {
        panic!("a bucket")
    };
    assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("files", "baton"));
    assert_eq!((bucket.region.as_str(), bucket.endpoint), ("eu-central-1", None));
    assert_eq!(bucket.key.unwrap().id, "AKIA");
    for (text, key, line) in [
        (
            "bucket = 'files'",
            None,
            "baton.toml:10: media.bucket: found \"files\", expected s3://NAME or s3://NAME/PREFIX",
        ),
        (
            "bucket = 's3://files'\nfolder = 'f'",
            None,
            "baton.toml:11: media.folder: found a folder beside a bucket, expected one of them",
        ),
        (
            "region = 'x'",
            None,
            "baton.toml:9: media.bucket: found nothing, expected s3://NAME, to which the other keys belong (here or as BATON_MEDIA_BUCKET in the environment)",
        ),
        (
            "bucket = 's3://files'",
            Some(key[0]),
            "baton.toml:9: media.secret_access_key: found nothing, expected the secret of access_key_id (here or as BATON_MEDIA_SECRET_ACCESS_KEY in the environment)",
        ),
    ] {
        assert_eq!(media(text, key.as_slice()).unwrap_err().to_string(), line);
    }
}
