//! The transcript of docs/PRISMA.md is what the programs say.

use crate::project::{ALL_APPLIED, CHAIN, EMAIL, Project, Ran, USERS, Version};

crate::with_each_prisma!(the_afternoon_of_the_page_is_true);

fn the_afternoon_of_the_page_is_true(version: Version) {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PRISMA.md");
    let page = std::fs::read_to_string(page).unwrap();
    let expected = page
        .split("```console\n")
        .nth(1)
        .and_then(|block| block.split("```").next())
        .unwrap();

    let project = Project::new(version, &[USERS, EMAIL]);
    std::fs::remove_file(project.path().join("tollgate.toml")).unwrap();
    project.write(
        "package.json",
        "{ \"scripts\": { \"db:migrate:deploy:dev\": \"dotenv -v E=dev -- prisma migrate deploy\",\n\
         \"db:migrate:deploy:test\": \"dotenv -v E=test -- prisma migrate deploy\",\n\
         \"db:migrate:deploy:prod\": \"dotenv -v E=prod -- prisma migrate deploy\" } }\n",
    );
    let lines = CHAIN.map(|name| format!("DATABASE_URL_{}=secret\n", name.to_uppercase()));
    project.write(".env", &lines.concat());
    for environment in CHAIN {
        project
            .prisma(environment, &["migrate", "deploy"])
            .says(0, &[ALL_APPLIED]);
    }

    let mut actual = String::new();
    for command in expected.lines().filter_map(|line| line.strip_prefix("$ ")) {
        actual.push_str(&format!("$ {command}\n"));
        actual.push_str(&perform(&project, command));
    }
    assert_eq!(actual, expected, "\nthe transcript should be:\n{actual}");
}

fn perform(project: &Project, command: &str) -> String {
    // The stamp is that of the day on which the page was written.
    let written = "20261201090000_add_name";
    if let Some((_, file)) = command.split_once(" > ") {
        let script = command.split('\'').nth(1).unwrap();
        std::fs::write(project.path().join(file), format!("{script}\n")).unwrap();
        return String::new();
    }
    if command == "npx prisma migrate deploy" {
        let ran = project.prisma("prod", &["migrate", "deploy"]);
        let said = ran.text.lines().rfind(|line| !line.trim().is_empty());
        return format!("{}\n", said.unwrap_or_default());
    }
    let arguments: Vec<&str> = command
        .strip_prefix("tollgate ")
        .unwrap_or_else(|| panic!("a command that the test does not know: {command}"))
        .split(' ')
        .collect();
    let Ran { text, .. } = project.tollgate(&arguments);
    let mut text = text;
    if arguments[0] == "new" {
        let stamp = text
            .split(['/', '\n'])
            .find(|part| part.ends_with("_add_name"))
            .unwrap()
            .to_owned();
        let folder = project.path().join("prisma/migrations");
        std::fs::rename(folder.join(&stamp), folder.join(written)).unwrap();
        text = text.replace(&stamp, written);
    }
    for (environment, name) in CHAIN.iter().zip(["shop_dev", "shop_test", "shop_prod"]) {
        text = text.replace(project.database(environment).name(), name);
    }
    text
}
