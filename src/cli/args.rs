//! The arguments, literally. The verbs and their help are the user's first documentation.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::lint::Level;
use crate::model::DataMode;
use crate::model::entry::Engine;

/// A migration may enter an environment only when the same bytes have succeeded in every
/// environment before it. tollgate keeps the proof, plans from it offline, and refuses with reasons.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, long_about = None, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// How results are written: for people, or as one versioned document; github: plan, apply and lint alone;
    /// sarif: lint alone; markdown and html: review and report
    #[arg(long, value_enum, default_value = "text", global = true)]
    pub(crate) format: Format,
    /// Read variables from FILE instead of .env; what is set in the environment goes first
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) env_file: Option<PathBuf>,
    /// How long to wait for another run to end, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, global = true)]
    pub(crate) lock_wait: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    // Annotations as commands of GitHub Actions, and a job summary.
    Github,
    // SARIF 2.1.0, for code scanning.
    Sarif,
    // For a pull request.
    Markdown,
    // One page that needs nothing else.
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a tollgate.toml: for the Prisma tree that is here, or for embedded databases
    Init(Init),
    /// Make a folder for a new migration, stamped after the newest one
    New(New),
    /// Give a migration that came too late a new stamp
    Restamp(Restamp),
    /// Say what scripts destroy, lock and may fail on, and whether they come too late; offline
    Lint(Lint),
    /// Show every migration in every environment, from the ledger; with ENV, one of them in one screen
    Status(Status),
    /// Show what would be applied, or every reason why not; offline
    Plan(Plan),
    /// Show a saved plan to whoever is to say yes to it
    Review(Review),
    /// Say yes to a saved plan, after review: recorded, not signed
    Approve(Approve),
    /// Take a database that already has a history into the ledger; nothing runs
    Baseline(Baseline),
    /// Apply what is pending in one environment, or refuse
    Apply(Apply),
    /// Apply along the chain, environment by environment, up to one
    Promote(Promote),
    /// Run up, down and up again where it leaves nothing behind, and compare
    Rehearse(Rehearse),
    /// Take a backup of an environment's database, and see whether it can be restored
    Backup(Backup),
    /// Restore a backup into a new database; never into one that is there
    Restore(Restore),
    /// Write a migration that reverses others: their down.sql; it goes the same way as any
    Revert(Revert),
    /// Undo the newest migration of the first environment, and apply it as it is now
    Redo(Redo),
    /// Empty the first environment's database and start clean; evidence stays
    Reset(Reset),
    /// Reverse a migration everywhere, step by step, each shown and confirmed; goes on where it stopped
    Emergency(Emergency),
    /// Tie an environment to the database that its url leads to
    Bind(Bind),
    /// Say what stands of a script that stopped half-way, where only a person can
    Resolve(Resolve),
    /// Accept what one gate refuses of one migration in one environment, with a reason
    Waive(Waive),
    /// Apply without the missing proof, where the policy allows it, and owe it: shown and confirmed first
    BreakGlass(BreakGlass),
    /// Review what somebody else did through broken glass
    PostReview(PostReview),
    /// Say what every gate says of one migration in one environment, before anyone tries
    #[command(visible_alias = "why")]
    WhyNot(WhyNot),
    /// Take in what others know: the receipts of targets, the entries of other ledgers
    Sync(Sync),
    /// Send this ledger's entries to the team's hub
    Push,
    /// Take in everybody's entries from the team's hub
    Pull,
    /// Say whether the ledger is sound; with ENV, whether a target is as its receipts tell
    Verify(Verify),
    /// Write the evidence of all changes for an auditor, from the ledger; without --out, page one of it
    Report(Report),
    /// Show the ledger's entries, or the bytes of a migration that ran
    Log(Log),
}

#[derive(Debug, Args)]
pub(crate) struct Init {}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct New {
    /// What the migration does, in a few words
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Write the down.sql of this migration: what reverses it, as far as its text tells
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) down: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Restamp {
    /// The migration's folder
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// The migrations to look at, each after those before it; all, where nothing is named
    #[arg(value_name = "MIGRATION", conflicts_with_all = ["changed_since", "explain"])]
    pub(crate) migrations: Vec<String>,
    /// Look at what changed since this branch parted from REV: origin/main
    #[arg(long, value_name = "REV", conflicts_with = "explain")]
    pub(crate) changed_since: Option<String>,
    /// Show findings from this level on; notes are only counted where nothing is said
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) level: Option<ShownLevel>,
    /// Show notes and what scripts allow as well, as --level note does
    #[arg(long, conflicts_with = "level")]
    pub(crate) all: bool,
    /// What kind of database the scripts are for, where neither a url nor the ledger tells
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(crate) engine: Option<EngineName>,
    /// Print the page of one rule, and look at nothing
    #[arg(long, value_name = "RULE")]
    pub(crate) explain: Option<String>,
}

/// From which level on findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShownLevel {
    /// Only what ends with 3
    Error,
    /// Warnings too
    Warning,
    /// Everything
    Note,
}

impl From<ShownLevel> for Level {
    fn from(level: ShownLevel) -> Self {
        match level {
            ShownLevel::Error => Self::Error,
            ShownLevel::Warning => Self::Warning,
            ShownLevel::Note => Self::Note,
        }
    }
}

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    /// PostgreSQL
    Postgresql,
    /// SQLite
    Sqlite,
}

impl From<EngineName> for Engine {
    fn from(engine: EngineName) -> Self {
        match engine {
            EngineName::Postgresql => Self::Postgresql,
            EngineName::Sqlite => Self::Sqlite,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The environment to plan for
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Plan only up to this migration
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) to: Option<String>,
    /// Save it, where it is ready, for apply --plan: with its scripts, proofs and premises
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// When the saved plan no longer counts: after 8h or 2d, or at 2026-12-01T16:00:00Z
    #[arg(long, value_name = "WHEN", requires = "out")]
    pub(crate) expires: Option<String>,
    /// The change that the saved plan belongs to: CHG-123
    #[arg(long, value_name = "CHANGE", requires = "out")]
    pub(crate) change: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Review {
    /// The saved plan, as plan --out wrote it
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The saved plan, as plan --out wrote it
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who says yes
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) approver: String,
    /// What you looked at, or have to say; it is shown with the approval
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The environment to apply to
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Apply only up to this migration
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) to: Option<String>,
    /// Run this saved plan, exactly, or refuse with the premise that changed
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub(crate) plan: Option<PathBuf>,
    /// Connect, lock, settle and check everything, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The last environment to promote to
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Promote only up to this migration
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// The environment to rehearse in: any but the last of several
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// The migration; where none is named everything pending, or else the newest
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: Option<String>,
    /// On a scratch database beside the target, and not in it
    #[arg(long)]
    pub(crate) scratch: bool,
    /// How closely to compare the data; by its size where nothing is said
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) data: Option<Data>,
    /// The longest time that others may have to wait for what it locks, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) within: u64,
}

/// How closely data is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Data {
    /// Every value of every row
    Full,
    /// Every row is counted, and the values of about one in 64 are compared
    Sample,
    /// Rows are only counted
    Counts,
}

impl From<Data> for DataMode {
    fn from(data: Data) -> Self {
        match data {
            Data::Full => Self::Full,
            Data::Sample => Self::Sample,
            Data::Counts => Self::Counts,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Baseline {
    /// The environment whose database has a history: Prisma's, or only its tables
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Where Prisma's table tells nothing: the last migration whose work stands there
    #[arg(long, value_name = "MIGRATION", requires = "reason")]
    pub(crate) to: Option<String>,
    /// Take in what has no proof of its bytes too: applied, and never evidence
    #[arg(long, requires = "reason")]
    pub(crate) accept_unproven: bool,
    /// Why you give your word for it
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The environment whose database to back up
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Restore it into a scratch database, and compare the schema and the data with the source
    #[arg(long)]
    pub(crate) verify: bool,
    /// How closely to compare the data; chosen by its size where it is not said
    #[arg(long, value_enum, value_name = "HOW", requires = "verify")]
    pub(crate) data: Option<HowClosely>,
    /// Delete all but the newest N of this environment afterwards; the newest verified one always stays
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<std::num::NonZeroUsize>,
    /// Take none: look whether FILE is whole, and the backup that it is said to be
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keep", "data"])]
    pub(crate) check: Option<PathBuf>,
    /// Take none: record one that was made elsewhere, on your word
    #[arg(long, value_name = "WHERE", requires = "taken_at", conflicts_with_all = ["verify", "keep", "check"])]
    pub(crate) attest: Option<String>,
    /// The moment that it is of, in UTC: 2025-11-04T10:12:00Z, or '2025-11-04 10:12'
    #[arg(long, value_name = "WHEN", requires = "attest")]
    pub(crate) taken_at: Option<String>,
    /// Take none: show what backups there are
    #[arg(long, conflicts_with_all = ["verify", "keep", "check", "attest"])]
    pub(crate) list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HowClosely {
    /// Every value of every row
    Full,
    /// Every row is counted, and about one in 64 is looked at
    Sample,
    /// Rows are counted
    Counts,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup, with its manifest beside it
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The new database, on the server of the environment's; or the new SQLite file
    #[arg(long, value_name = "NAME")]
    pub(crate) into: String,
    /// The environment that it is a backup of; its manifest says so where it is not said
    #[arg(long = "env", value_name = "ENV")]
    pub(crate) environment: Option<String>,
    /// Without owners and grants: all of it belongs to the role that restores
    #[arg(long)]
    pub(crate) no_owner: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Revert {
    /// The migrations; the newest is reversed first
    #[arg(value_name = "MIGRATION", required = true)]
    pub(crate) migrations: Vec<String>,
    /// Why; it stands in the script, and acknowledges what it destroys
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Redo {
    /// The newest migration of the first environment
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
}

#[derive(Debug, Args)]
pub(crate) struct Emergency {
    /// The migration that went wrong in the last environment
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
    /// What went wrong
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
    /// Do each step without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bind {
    /// The environment to bind
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// The target was emptied: archive the receipts that stand there, nothing counts as applied
    #[arg(long)]
    pub(crate) emptied: bool,
    /// Why its target is another one now
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// The environment to reset: the first of several
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Do not show first what goes, and do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// Where the attempt was made
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// The migration
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
    #[command(flatten)]
    pub(crate) said: Said,
    /// What you found, and what you undid
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Waive {
    /// The environment whose plan refuses it
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// The gate: order, modified, missing, promotion, data-loss, lint, hold, soak, rehearsal
    #[arg(value_name = "GATE")]
    pub(crate) gate: String,
    /// The migration
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
    /// Why it is accepted; it is shown with the migration for ever
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Show this environment: its target, what waits there and what blocks it
    #[arg(value_name = "ENV")]
    pub(crate) environment: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BreakGlass {
    /// The environment to apply to
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// What went wrong, and cannot wait; it is shown with the migration for ever
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
    /// The emergency, by the name that people gave it: INC-7
    #[arg(long, value_name = "ID")]
    pub(crate) incident: String,
    /// Only up to this migration
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) to: Option<String>,
    /// Do it without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PostReview {
    /// The environment where glass was broken
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// The incident that it was broken for
    #[arg(value_name = "INCIDENT")]
    pub(crate) incident: String,
    /// What you found
    #[arg(long, visible_alias = "reason", value_name = "WHAT")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct WhyNot {
    /// The migration
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
    /// The environment
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Said {
    /// Nothing of it stands in the target (any more): it may run again
    #[arg(long)]
    pub(crate) not_applied: bool,
    /// All of it stands in the target, by whatever way: it counts as applied, never as evidence
    #[arg(long)]
    pub(crate) applied: bool,
    /// Every statement before the K-th stands, and nothing else: the same bytes go on there
    #[arg(long, value_name = "K")]
    pub(crate) continue_at: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Look at these targets: receipts against the ledger, and the schema against what the newest run left
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// Make the ledger's snapshot anew, from its entries, before it is verified
    #[arg(long, conflicts_with = "environments")]
    pub(crate) rebuild: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// The environments whose targets to look at; all that can be, where nothing is named
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// Another ledger, or an export of one; - reads an export from stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Vec<PathBuf>,
    /// A folder of entries, as log export --to-dir writes it
    #[arg(long, value_name = "DIR")]
    pub(crate) from_dir: Vec<PathBuf>,
    /// Of two entries with one number, believe the one whose hash begins with HASH
    #[arg(long, value_name = "HASH", requires = "reason", conflicts_with_all = ["environments", "from", "from_dir"])]
    pub(crate) believe: Option<String>,
    /// Why it is to be believed
    #[arg(long, value_name = "WHY", requires = "believe")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Only what began on this day or later: 2025-11-04, or 2025-11-04T10:12:00Z; days are UTC
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// Only what began until the end of this day, or before this instant
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// Only this environment; may be given several times
    #[arg(long = "env", value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// What was known at the end of this day, or at this instant: the same ledger then gives the same bytes
    #[arg(long, value_name = "WHEN")]
    pub(crate) as_of: Option<String>,
    /// Write the report's files into DIR: for people, for spreadsheets, for programs, and how to check them
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Name machines, and the addresses of CI runs
    #[arg(long)]
    pub(crate) with_hosts: bool,
    /// Quote what databases said in errors, which can hold values of rows
    #[arg(long)]
    pub(crate) with_errors: bool,
    /// Ask git who wrote each migration, and why where its script does not say; the report then depends on
    /// the commit too, and names it
    #[arg(long)]
    pub(crate) with_authors: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Log {
    #[command(subcommand)]
    pub(crate) action: Option<LogAction>,
    /// Only entries about this migration
    #[arg(long, value_name = "MIGRATION")]
    pub(crate) migration: Option<String>,
    /// Only the newest N entries
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) last: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogAction {
    /// Print the bytes of a migration that ran
    Show(LogBytes),
    /// Put the bytes of a migration that ran back into its folder
    Restore(LogBytes),
    /// Write the exact bytes of every entry, for another ledger to take in
    Export(LogExport),
}

#[derive(Debug, Args)]
pub(crate) struct LogExport {
    /// The file to write, or - for stdout
    #[arg(value_name = "FILE", required_unless_present = "to_dir")]
    pub(crate) file: Option<PathBuf>,
    /// Write one file for each entry into DIR instead, as a team keeps them in git
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    pub(crate) to_dir: Option<PathBuf>,
    /// Only entries written since: 2025-11-04, or 2025-11-04T10:12:00Z
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LogBytes {
    /// The migration
    #[arg(value_name = "MIGRATION")]
    pub(crate) migration: String,
    /// The bytes that ran here; needed only where different bytes ran in different environments
    #[arg(long, value_name = "ENV")]
    pub(crate) environment: Option<String>,
}
