//! What people read of a saved plan, in each form, and what a hostile one cannot do there.

use insta::assert_snapshot;

use super::{EMAIL, HOUR, PLAN, bytes, forge, put, save, saved, waiting};
use crate::project::Project;

/// A plan with everything that can be said of one.
fn rich() -> Project {
    let project = waiting();
    project.write(
        "20251104000000_fax",
        "-- tollgate:allow data-loss nobody reads it\nALTER TABLE users DROP COLUMN fax;\n",
    );
    project.write_down(
        "20251104000000_fax",
        "ALTER TABLE users ADD COLUMN fax TEXT;\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    save(&project, &["--expires", "8h", "--change", "CHG-123"]);
    project
}

#[test]
fn in_a_terminal() {
    let mut project = rich();
    assert_snapshot!(project.run(&["review", PLAN]), @r#"
    exit 0
    --- stdout
    saved plan: 3 migrations for prod

      !! NO COMMIT: it was made outside a git repository, or before its first commit
      !! DATA LOSS: 1 migration destroys what may stand there

      id           54a5836f60944321581d634b0d2c24b357d687e6c97442f97111dbcf8c59cbb4
      environment  prod
      target       sqlite prod.db, incarnation 6f3287cd13d7e1d790ece8ec6da9b2a5
      after        receipt 1 (5a8346944dfb22affcc5c6be08aec76e22d2e058d1a49d1a800272a83c7b5f7e)
      made         2025-11-04 10:12 UTC by alice, with tollgate 0.1.0
      expires      2025-11-04 18:12 UTC, in 8 h
      change       CHG-123
      policy       5a07bdcb4c40f195d4b64d360f45cb6674abfcefb4c9fc59e75695a89e046924
      plan         a5181a6eb4d2aae680d0210f5b93eb1ecd3d96fb62a696e29c004cbc03f8dfd1

      1. 20251102000000_email
        runs         atomic
        blake3       0bff6c90c6e8d7b71ab23045cf37f66f020526813fda4fb571537003064a695b
        sha256       7a3a4c70d5af51f931ef9c9e1b12d7ae59d117a77416e39b47abf3041544bf39
        proven       dev 2025-11-04 10:12 UTC by alice, receipt 2 (ed557cd3ea16) of ledger ea21c7b3
        proven       test 2025-11-04 10:12 UTC by alice, receipt 2 (f246ab96a143) of ledger ea21c7b3
        written by   not known
        reversal     none is prepared

        migration.sql, 1 line
        | ALTER TABLE users ADD COLUMN email TEXT;

      2. 20251103000000_unique
        runs         atomic
        blake3       ebc9676c99b786af459cc6ec9ab310f324814a7ea71f3d4d979ec32addfbd47c
        sha256       61f5a381dc93672f7ff19dcabf86280573ffe73d1dde8d44aae3b8d0f78f8c52
        may fail     line 1: two rows of users that are alike in name
        locks        line 1: users (RESERVED) while every row is read
        proven       dev 2025-11-04 10:12 UTC by alice, receipt 3 (d16db7d87893) of ledger ea21c7b3
        proven       test 2025-11-04 10:12 UTC by alice, receipt 3 (20d739ef96f4) of ledger ea21c7b3
        written by   not known
        reversal     none is prepared

        migration.sql, 1 line
        | CREATE UNIQUE INDEX users_name ON users (name);

      3. 20251104000000_fax
        runs         atomic
        blake3       dcd4381bcb9af8e9512eb2dc6441d74991c896050c45a0bd88de6e5d9c9eccd4
        sha256       622257a6235a28af2edaaf5313219531d1867df80d1a8b20cd9a1fe4b1851351
        accepted     line 2: drops column users.fax: nobody reads it
        locks        line 2: users (RESERVED) while every row is written
        proven       dev 2025-11-04 10:12 UTC by alice, receipt 4 (86ee6e42e3d3) of ledger ea21c7b3
        proven       test 2025-11-04 10:12 UTC by alice, receipt 4 (23bfe0a9a326) of ledger ea21c7b3
        written by   not known
        reversal     down.sql, blake3:9b407c1acd92087c13da66d642637f3de61dd811ae66ec7a4cee752c254ed137

        migration.sql, 2 lines
        | -- tollgate:allow data-loss nobody reads it
        | ALTER TABLE users DROP COLUMN fax;

        down.sql, 1 line
        | ALTER TABLE users ADD COLUMN fax TEXT;

      gates
        identity     met
                       bound to prod.db (6f3287cd13d7); whether it is still that one is asked under the lock
        chain        met
                       dev, test, prod, as the ledger knows it
        baseline     met
                       nothing of another tool's stands there untold
        prisma       not asked
        unknown      met
                       how every attempt ended is known
        failed       met
                       no attempt is left half-way
        debt         not asked
        missing      met
                       1 migration applied here, each with its folder
        modified     met
                       1 migration applied here, each with the bytes that ran
        order        met, of each
                       it comes after 20251101000000_users, the newest applied here
        promotion    met, of 20251102000000_email
                       dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 2 (ed557cd3ea16)
                       test: succeeded 2025-11-04 10:12 UTC by alice, receipt 2 (f246ab96a143)
                     met, of 20251103000000_unique
                       dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 3 (d16db7d87893)
                       test: succeeded 2025-11-04 10:12 UTC by alice, receipt 3 (20d739ef96f4)
                     met, of 20251104000000_fax
                       dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 4 (86ee6e42e3d3)
                       test: succeeded 2025-11-04 10:12 UTC by alice, receipt 4 (23bfe0a9a326)
        script       met, of each
                       it can be sent
        data-loss    met, of 20251102000000_email, 20251103000000_unique
                       nothing that stands here is destroyed, as far as its text tells
                     met, of 20251104000000_fax
                       line 2: drop-column: the script allows it: nobody reads it
        lint         not asked
        hold         not asked
        soak         not asked
        freeze       not asked
        hours        not asked
        rehearsal    not asked
        backup       not asked
        approval     not asked

      policy
        chain        dev, test, prod
        data_loss    refuse
        never_waive  promotion

      next      tollgate apply prod --plan release.plan.json
    "#);
    project.now += 9 * HOUR;
    let late = project.run(&["review", PLAN]);
    assert_eq!(late.exit, 0);
    assert!(late.stdout.contains("!! EXPIRED 1 h ago"), "{late}");
    let (exit, document) = project.json(&["review", PLAN]);
    assert_eq!((exit, &document["expired"]), (0, &true.into()));
    let content = &document["plan"]["content"];
    assert_eq!(content["steps"].as_array().unwrap().len(), 3);
    let file: serde_json::Value = serde_json::from_slice(&bytes(&project)).unwrap();
    assert_eq!(document["plan"], file);
}

#[test]
fn in_a_pull_request() {
    let project = rich();
    assert_snapshot!(project.run(&["review", PLAN, "--format", "markdown"]), @r#"
    exit 0
    --- stdout
    ## Saved plan: 3 migrations for prod

    > **Attention.** `NO COMMIT: it was made outside a git repository, or before its first commit`
    >
    > **Attention.** `DATA LOSS: 1 migration destroys what may stand there`

    - id: `54a5836f60944321581d634b0d2c24b357d687e6c97442f97111dbcf8c59cbb4`
    - environment: `prod`
    - target: `sqlite prod.db, incarnation 6f3287cd13d7e1d790ece8ec6da9b2a5`
    - after: `receipt 1 (5a8346944dfb22affcc5c6be08aec76e22d2e058d1a49d1a800272a83c7b5f7e)`
    - made: `2025-11-04 10:12 UTC by alice, with tollgate 0.1.0`
    - expires: `2025-11-04 18:12 UTC, in 8 h`
    - change: `CHG-123`
    - policy: `5a07bdcb4c40f195d4b64d360f45cb6674abfcefb4c9fc59e75695a89e046924`
    - plan: `a5181a6eb4d2aae680d0210f5b93eb1ecd3d96fb62a696e29c004cbc03f8dfd1`

    ### 1. `20251102000000_email`

    - runs: `atomic`
    - blake3: `0bff6c90c6e8d7b71ab23045cf37f66f020526813fda4fb571537003064a695b`
    - sha256: `7a3a4c70d5af51f931ef9c9e1b12d7ae59d117a77416e39b47abf3041544bf39`
    - proven: `dev 2025-11-04 10:12 UTC by alice, receipt 2 (ed557cd3ea16) of ledger ea21c7b3`
    - proven: `test 2025-11-04 10:12 UTC by alice, receipt 2 (f246ab96a143) of ledger ea21c7b3`
    - written by: `not known`
    - reversal: `none is prepared`

    <details><summary>migration.sql, 1 line</summary>

    ```sql
    ALTER TABLE users ADD COLUMN email TEXT;
    ```

    </details>

    ### 2. `20251103000000_unique`

    - runs: `atomic`
    - blake3: `ebc9676c99b786af459cc6ec9ab310f324814a7ea71f3d4d979ec32addfbd47c`
    - sha256: `61f5a381dc93672f7ff19dcabf86280573ffe73d1dde8d44aae3b8d0f78f8c52`
    - may fail: `line 1: two rows of users that are alike in name`
    - locks: `line 1: users (RESERVED) while every row is read`
    - proven: `dev 2025-11-04 10:12 UTC by alice, receipt 3 (d16db7d87893) of ledger ea21c7b3`
    - proven: `test 2025-11-04 10:12 UTC by alice, receipt 3 (20d739ef96f4) of ledger ea21c7b3`
    - written by: `not known`
    - reversal: `none is prepared`

    <details><summary>migration.sql, 1 line</summary>

    ```sql
    CREATE UNIQUE INDEX users_name ON users (name);
    ```

    </details>

    ### 3. `20251104000000_fax`

    - runs: `atomic`
    - blake3: `dcd4381bcb9af8e9512eb2dc6441d74991c896050c45a0bd88de6e5d9c9eccd4`
    - sha256: `622257a6235a28af2edaaf5313219531d1867df80d1a8b20cd9a1fe4b1851351`
    - accepted: `line 2: drops column users.fax: nobody reads it`
    - locks: `line 2: users (RESERVED) while every row is written`
    - proven: `dev 2025-11-04 10:12 UTC by alice, receipt 4 (86ee6e42e3d3) of ledger ea21c7b3`
    - proven: `test 2025-11-04 10:12 UTC by alice, receipt 4 (23bfe0a9a326) of ledger ea21c7b3`
    - written by: `not known`
    - reversal: `down.sql, blake3:9b407c1acd92087c13da66d642637f3de61dd811ae66ec7a4cee752c254ed137`

    <details><summary>migration.sql, 2 lines</summary>

    ```sql
    -- tollgate:allow data-loss nobody reads it
    ALTER TABLE users DROP COLUMN fax;
    ```

    </details>

    <details><summary>down.sql, 1 line</summary>

    ```sql
    ALTER TABLE users ADD COLUMN fax TEXT;
    ```

    </details>

    ### Gates

    - `identity` `met`
      - `bound to prod.db (6f3287cd13d7); whether it is still that one is asked under the lock`
    - `chain` `met`
      - `dev, test, prod, as the ledger knows it`
    - `baseline` `met`
      - `nothing of another tool's stands there untold`
    - `prisma` `not asked`
    - `unknown` `met`
      - `how every attempt ended is known`
    - `failed` `met`
      - `no attempt is left half-way`
    - `debt` `not asked`
    - `missing` `met`
      - `1 migration applied here, each with its folder`
    - `modified` `met`
      - `1 migration applied here, each with the bytes that ran`
    - `order` `met, of each`
      - `it comes after 20251101000000_users, the newest applied here`
    - `promotion` `met, of 20251102000000_email`
      - `dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 2 (ed557cd3ea16)`
      - `test: succeeded 2025-11-04 10:12 UTC by alice, receipt 2 (f246ab96a143)`
    - `promotion` `met, of 20251103000000_unique`
      - `dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 3 (d16db7d87893)`
      - `test: succeeded 2025-11-04 10:12 UTC by alice, receipt 3 (20d739ef96f4)`
    - `promotion` `met, of 20251104000000_fax`
      - `dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 4 (86ee6e42e3d3)`
      - `test: succeeded 2025-11-04 10:12 UTC by alice, receipt 4 (23bfe0a9a326)`
    - `script` `met, of each`
      - `it can be sent`
    - `data-loss` `met, of 20251102000000_email, 20251103000000_unique`
      - `nothing that stands here is destroyed, as far as its text tells`
    - `data-loss` `met, of 20251104000000_fax`
      - `line 2: drop-column: the script allows it: nobody reads it`
    - `lint` `not asked`
    - `hold` `not asked`
    - `soak` `not asked`
    - `freeze` `not asked`
    - `hours` `not asked`
    - `rehearsal` `not asked`
    - `backup` `not asked`
    - `approval` `not asked`

    ### Policy

    - `chain`: `dev, test, prod`
    - `data_loss`: `refuse`
    - `never_waive`: `promotion`

    ```sh
    tollgate apply prod --plan release.plan.json
    ```
    "#);
}

#[test]
fn as_a_page() {
    let project = saved();
    let shot = project.run(&["review", PLAN, "--format", "html"]);
    let style = shot.stdout.find("<style>").unwrap()..shot.stdout.find("</style>").unwrap();
    let mut page = shot.stdout.clone();
    page.replace_range(style, "<style>");
    assert_snapshot!(page, @r#"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Saved plan: 2 migrations for prod</title>
    <style></style>
    </head>
    <body>
    <main>
    <h1>Saved plan: 2 migrations for prod</h1>
    <ul class="alarms">
    <li>NO COMMIT: it was made outside a git repository, or before its first commit</li>
    </ul>
    <table>
    <tr><th scope="row">id</th><td>4a448675bff235db03a5061df393e11cb04a3b12e704b9c4a5877bc1e31417f7</td></tr>
    <tr><th scope="row">environment</th><td>prod</td></tr>
    <tr><th scope="row">target</th><td>sqlite prod.db, incarnation 6f3287cd13d7e1d790ece8ec6da9b2a5</td></tr>
    <tr><th scope="row">after</th><td>receipt 1 (5a8346944dfb22affcc5c6be08aec76e22d2e058d1a49d1a800272a83c7b5f7e)</td></tr>
    <tr><th scope="row">made</th><td>2025-11-04 10:12 UTC by alice, with tollgate 0.1.0</td></tr>
    <tr><th scope="row">expires</th><td>never, while its premises hold</td></tr>
    <tr><th scope="row">policy</th><td>5a07bdcb4c40f195d4b64d360f45cb6674abfcefb4c9fc59e75695a89e046924</td></tr>
    <tr><th scope="row">plan</th><td>3eee348e58aad144769682bbef23a40f41b230fe60d5bb26e0ce56198f4c7790</td></tr>
    </table>
    <h2>Steps</h2>
    <section>
    <h3>1. <code>20251102000000_email</code></h3>
    <table>
    <tr><th scope="row">runs</th><td>atomic</td></tr>
    <tr><th scope="row">blake3</th><td>0bff6c90c6e8d7b71ab23045cf37f66f020526813fda4fb571537003064a695b</td></tr>
    <tr><th scope="row">sha256</th><td>7a3a4c70d5af51f931ef9c9e1b12d7ae59d117a77416e39b47abf3041544bf39</td></tr>
    <tr><th scope="row">proven</th><td>dev 2025-11-04 10:12 UTC by alice, receipt 2 (ed557cd3ea16) of ledger ea21c7b3</td></tr>
    <tr><th scope="row">proven</th><td>test 2025-11-04 10:12 UTC by alice, receipt 2 (f246ab96a143) of ledger ea21c7b3</td></tr>
    <tr><th scope="row">written by</th><td>not known</td></tr>
    <tr><th scope="row">reversal</th><td>none is prepared</td></tr>
    </table>
    <details open><summary>migration.sql, 1 line</summary>
    <pre>
    <code>ALTER TABLE users ADD COLUMN email TEXT;
    </code></pre></details>
    </section>
    <section>
    <h3>2. <code>20251103000000_unique</code></h3>
    <table>
    <tr><th scope="row">runs</th><td>atomic</td></tr>
    <tr><th scope="row">blake3</th><td>ebc9676c99b786af459cc6ec9ab310f324814a7ea71f3d4d979ec32addfbd47c</td></tr>
    <tr><th scope="row">sha256</th><td>61f5a381dc93672f7ff19dcabf86280573ffe73d1dde8d44aae3b8d0f78f8c52</td></tr>
    <tr class="warned"><th scope="row">may fail</th><td>line 1: two rows of users that are alike in name</td></tr>
    <tr><th scope="row">locks</th><td>line 1: users (RESERVED) while every row is read</td></tr>
    <tr><th scope="row">proven</th><td>dev 2025-11-04 10:12 UTC by alice, receipt 3 (d16db7d87893) of ledger ea21c7b3</td></tr>
    <tr><th scope="row">proven</th><td>test 2025-11-04 10:12 UTC by alice, receipt 3 (20d739ef96f4) of ledger ea21c7b3</td></tr>
    <tr><th scope="row">written by</th><td>not known</td></tr>
    <tr><th scope="row">reversal</th><td>none is prepared</td></tr>
    </table>
    <details open><summary>migration.sql, 1 line</summary>
    <pre>
    <code>CREATE UNIQUE INDEX users_name ON users (name);
    </code></pre></details>
    </section>
    <h2>Gates</h2>
    <table>
    <tr class="met"><th scope="row">identity</th><td>met</td><td>bound to prod.db (6f3287cd13d7); whether it is still that one is asked under the lock</td></tr>
    <tr class="met"><th scope="row">chain</th><td>met</td><td>dev, test, prod, as the ledger knows it</td></tr>
    <tr class="met"><th scope="row">baseline</th><td>met</td><td>nothing of another tool&#39;s stands there untold</td></tr>
    <tr class="quiet"><th scope="row">prisma</th><td>not asked</td><td></td></tr>
    <tr class="met"><th scope="row">unknown</th><td>met</td><td>how every attempt ended is known</td></tr>
    <tr class="met"><th scope="row">failed</th><td>met</td><td>no attempt is left half-way</td></tr>
    <tr class="quiet"><th scope="row">debt</th><td>not asked</td><td></td></tr>
    <tr class="met"><th scope="row">missing</th><td>met</td><td>1 migration applied here, each with its folder</td></tr>
    <tr class="met"><th scope="row">modified</th><td>met</td><td>1 migration applied here, each with the bytes that ran</td></tr>
    <tr class="met"><th scope="row">order</th><td>met, of each</td><td>it comes after 20251101000000_users, the newest applied here</td></tr>
    <tr class="met"><th scope="row">promotion</th><td>met, of 20251102000000_email</td><td>dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 2 (ed557cd3ea16)<br>test: succeeded 2025-11-04 10:12 UTC by alice, receipt 2 (f246ab96a143)</td></tr>
    <tr class="met"><th scope="row">promotion</th><td>met, of 20251103000000_unique</td><td>dev: succeeded 2025-11-04 10:12 UTC by alice, receipt 3 (d16db7d87893)<br>test: succeeded 2025-11-04 10:12 UTC by alice, receipt 3 (20d739ef96f4)</td></tr>
    <tr class="met"><th scope="row">script</th><td>met, of each</td><td>it can be sent</td></tr>
    <tr class="met"><th scope="row">data-loss</th><td>met, of each</td><td>nothing that stands here is destroyed, as far as its text tells</td></tr>
    <tr class="quiet"><th scope="row">lint</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">hold</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">soak</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">freeze</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">hours</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">rehearsal</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">backup</th><td>not asked</td><td></td></tr>
    <tr class="quiet"><th scope="row">approval</th><td>not asked</td><td></td></tr>
    </table>
    <h2>Policy</h2>
    <table>
    <tr><th scope="row">chain</th><td>dev, test, prod</td></tr>
    <tr><th scope="row">data_loss</th><td>refuse</td></tr>
    <tr><th scope="row">never_waive</th><td>promotion</td></tr>
    </table>
    <h2>Next</h2>
    <pre><code>tollgate apply prod --plan release.plan.json</code></pre>
    </main>
    </body>
    </html>
    "#);
    assert!(!shot.stdout.contains("<script"));
    for elsewhere in [
        "http://", "https://", "url(", "@import", "<img", "<link", "src=",
    ] {
        assert!(!shot.stdout.contains(elsewhere), "{elsewhere}");
    }
}

/// It needs neither a project nor a ledger.
#[test]
fn whoever_has_the_file_alone_can_read_it() {
    let project = saved();
    let elsewhere = Project::empty();
    put(&elsewhere, bytes(&project));
    let here = project.run(&["review", PLAN]);
    let there = elsewhere.run(&["review", PLAN]);
    assert_eq!((there.exit, &there.stdout), (0, &here.stdout));
}

#[test]
fn what_git_knows_is_told_and_a_dirty_tree_loudly() {
    let project = waiting();
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
            .arg("-C")
            .arg(project.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["init", "-q"]);
    std::fs::write(project.path().join(".gitignore"), "state\n*.plan.json\n").unwrap();
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    let script = std::fs::read_to_string(project.script(EMAIL)).unwrap();
    project.write(EMAIL, &format!("{script}-- more\n"));
    git(&[
        "-c",
        "user.name=Bo",
        "commit",
        "-q",
        "-a",
        "-m",
        "second",
        "--author",
        "Bo <bo@example.org>",
    ]);
    project.write(EMAIL, &script);
    git(&["commit", "-q", "-a", "-m", "third"]);
    let made = save(&project, &[]);
    assert!(!made.stdout.contains("dirty"), "{made}");
    let clean = project.run(&["review", PLAN]).stdout;
    assert!(!clean.contains("!!"), "{clean}");
    assert!(
        clean.contains("written by   Ada <ada@example.org>, Bo <bo@example.org>\n"),
        "{clean}"
    );
    assert!(
        clean.contains("written by   Ada <ada@example.org>\n"),
        "{clean}"
    );
    std::fs::write(project.path().join("note"), "").unwrap();
    let made = save(&project, &[]);
    assert!(
        made.stdout.contains("  dirty     made from a work tree"),
        "{made}"
    );
    let dirty = project.run(&["review", PLAN]).stdout;
    assert!(
        dirty.contains("!! DIRTY: it was made from a work tree"),
        "{dirty}"
    );
}

const EVIL: &str = "</code></pre><script>alert(1)</script>\n```\n# [x](http://evil.example) @everyone <img src=x onerror=alert(1)> | `a` ```` &lt; \u{1b}[2J \u{202e}";

/// Somebody's own file, every text of which means harm.
fn evil() -> Project {
    use tollgate::digest::{Checksum, Sha256};
    use tollgate::model::{Actor, MigrationId};

    let project = rich();
    forge(&project, |content| {
        let evil = EVIL.to_owned();
        content.change = Some(evil.clone());
        content.by = Actor(evil.clone());
        content.tool = evil.clone();
        if let Some(target) = &mut content.target {
            target.name = evil.clone();
        }
        for (place, step) in content.steps.iter_mut().enumerate() {
            step.migration = MigrationId::new(format!("{place}{EVIL}"));
            step.script = format!("{EVIL}\n-- ``````\n");
            step.checksum = Checksum::of(step.script.as_bytes());
            step.sha256 = Sha256::of(step.script.as_bytes());
            step.notes = vec![evil.clone()];
            step.authors = vec![evil.clone()];
            for deed in &mut step.does {
                deed.kind = evil.clone();
                deed.what = evil.clone();
            }
            for proof in &mut step.proofs {
                proof.by = Actor(evil.clone());
            }
            if let Some(down) = &mut step.down {
                down.script = evil.clone();
                down.checksum = Checksum::of(evil.as_bytes());
            }
        }
        for gate in &mut content.gates {
            gate.gate = evil.clone();
            gate.state = evil.clone();
            gate.how = vec![evil.clone()];
            gate.migration = Some(MigrationId::new(evil.clone()));
        }
        content.policy.words = [(evil.clone(), evil.clone())].into();
        content.waivers = content.waivers.clone();
    });
    project
}

#[test]
fn nothing_of_a_hostile_plan_is_markup_on_the_page() {
    let project = evil();
    let page = project.run(&["review", PLAN, "--format", "html"]);
    assert_eq!(page.exit, 0, "{page}");
    let known = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3",
        "ul", "li", "table", "tr", "th", "td", "section", "details", "summary", "pre", "code",
        "br",
    ];
    // Every tag is one of ours, and none has an attribute of another's.
    for tag in page.stdout.split('<').skip(1) {
        let (inside, _) = tag.split_once('>').unwrap();
        let name = inside.trim_start_matches('/').split(' ').next().unwrap();
        assert!(known.contains(&name), "<{inside}>");
        assert!(!inside.contains("onerror"), "<{inside}>");
    }
    assert!(
        page.stdout
            .contains("&lt;script&gt;alert(1)&lt;/script&gt;")
    );
    assert!(!page.stdout.contains('\u{202e}') && !page.stdout.contains('\u{1b}'));
}

#[test]
fn nothing_of_a_hostile_plan_is_markup_in_a_pull_request() {
    let project = evil();
    let page = project.run(&["review", PLAN, "--format", "markdown"]);
    assert_eq!(page.exit, 0, "{page}");
    // What is left without fences and code spans is ours alone.
    let mut ours = String::new();
    let mut fence: Option<String> = None;
    for line in page.stdout.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() > 2 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                ours.push_str(&without_spans(line));
                ours.push('\n');
            }
        }
    }
    assert_eq!(fence, None);
    for harm in ["evil", "script>", "@", "http", "<img", "alert", "&lt"] {
        assert!(!ours.contains(harm), "{harm} in\n{ours}");
    }
    assert!(
        ours.contains("<details><summary>migration.sql, 4 lines</summary>"),
        "{ours}"
    );
}

/// A line without its code spans, as CommonMark reads them: a run of backticks ends at the next run of the
/// same length.
fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[at + ticks..];
        let mut end = None;
        let mut place = 0;
        while let Some(next) = inside[place..].find('`') {
            let start = place + next;
            let run = inside[start..].chars().take_while(|c| *c == '`').count();
            if run == ticks {
                end = Some(start + run);
                break;
            }
            place = start + run;
        }
        match end {
            Some(end) => rest = &inside[end..],
            None => {
                out.push_str(&rest[at..at + ticks]);
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

#[test]
fn a_line_in_somebodys_text_is_no_line_of_ours_in_a_terminal() {
    let project = evil();
    let shot = project.run(&["review", PLAN]);
    assert_eq!(shot.exit, 0, "{shot}");
    let forged = |line: &&str| line.starts_with(['#', '`', '<']);
    assert_eq!(shot.stdout.lines().find(forged), None);
    assert!(
        shot.stdout.contains("!! HIDDEN: scripts of 3 migrations"),
        "{shot}"
    );
}

/// A pull request takes 65,536 characters.
#[test]
fn a_long_plan_is_cut_in_a_pull_request_and_says_so() {
    let project = saved();
    let whole = project
        .run(&["review", PLAN, "--format", "markdown"])
        .stdout;
    assert!(!whole.contains("leaves something out"));
    for (scripts, lines) in [(1, 5_000), (40, 400), (400, 100)] {
        let project = saved();
        forge(&project, |content| {
            use tollgate::digest::{Checksum, Sha256};
            use tollgate::model::MigrationId;

            let mut step = content.steps[0].clone();
            step.script = "SELECT 'a line of a long script';\n".repeat(lines);
            step.checksum = Checksum::of(step.script.as_bytes());
            step.sha256 = Sha256::of(step.script.as_bytes());
            content.steps = (0..scripts)
                .map(|n| {
                    let mut step = step.clone();
                    step.migration = MigrationId::new(format!("{n:04}_long"));
                    step
                })
                .collect();
        });
        let page = project
            .run(&["review", PLAN, "--format", "markdown"])
            .stdout;
        assert!(
            page.chars().count() <= 60_000,
            "{scripts} scripts: {}",
            page.len()
        );
        assert!(page.contains("leaves something out"), "{scripts} scripts");
        assert!(page.contains("tollgate review release.plan.json"));
        let all = project.run(&["review", PLAN]).stdout;
        assert_eq!(
            all.matches("a line of a long script").count(),
            scripts * lines
        );
    }
}
