import Jersey

/// A flag of the study's `main.py` or field of its `config.py`, and its equivalent in `jersey
/// train`. A test compares this table with docs/explanation/study.md.
struct StudyFlag {
    /// Without dashes.
    let name: String
    /// The equivalent in jersey.
    let here: String

    static let all = [
        // main.py
        StudyFlag("model_type", "--model"), StudyFlag("backbone", "--encoder"),
        StudyFlag("data_root", "--data"),
        StudyFlag("batch_size", "--batch-size"), StudyFlag("lr", "--rate"),
        StudyFlag("use_discriminative_lr", "--rates discriminative"), StudyFlag("epochs", "--epochs"),
        StudyFlag("seed", "--seed"),
        StudyFlag("scheduler", "--scheduler"),
        // config.py
        StudyFlag("max_epochs", "--epochs"), StudyFlag("learning_rate", "--rate"),
        StudyFlag("num_workers", "--workers"),
        StudyFlag("img_height", "--size"), StudyFlag("img_width", "--size"),
        StudyFlag("max_seq_len", "--frames"),
        StudyFlag("early_stopping_patience", "--patience"), StudyFlag("use_mixed_precision", "--precision"),
        StudyFlag("seq_hidden_dim", "--set hidden"), StudyFlag("use_anchor_always", "--published"),
        StudyFlag("scheduler_type", "--scheduler"), StudyFlag("lr_backbone", "--set optimizer.encoderRate"),
        StudyFlag("lr_temporal", "--set optimizer.temporalRate"),
        StudyFlag("lr_heads", "--set optimizer.headRate"),
        StudyFlag("weight_decay", "--set optimizer.weightDecay"),
        StudyFlag("grad_clip", "--set optimizer.clip"),
        StudyFlag("warmup_epochs", "--set optimizer.warmupEpochs"),
        StudyFlag("loss_weights", "--set training.tensWeight"),
        StudyFlag("train_ratio", "--set data.ratios"), StudyFlag("val_ratio", "--set data.ratios"),
        StudyFlag("test_ratio", "--set data.ratios"), StudyFlag("classes", "--classes"),
        StudyFlag("output_dir", "--run"),
        StudyFlag("checkpoint_dir", "--run"), StudyFlag("log_dir", "--run"), StudyFlag("plot_dir", "--run"),
    ]

    private init(_ name: String, _ here: String) {
        self.name = name
        self.here = here
    }

    /// Whether it has another name here.
    var isRenamed: Bool { here != "--\(name)" }

    /// - Throws: `UsageError` with the equivalent of each flag of the study that jersey lacks.
    static func check(_ words: some Collection<String>) throws {
        let used = words.prefix { $0 != "--" }.compactMap { word in
            all.first { $0.isRenamed && (word == "--\($0.name)" || word.hasPrefix("--\($0.name)=")) }
        }
        guard !used.isEmpty else { return }
        let places = used.map { "\($0.here) for --\($0.name)" }.joined(separator: ", ")
        throw UsageError(
            "the study's flags have other names here: \(places)"
                + (words.first == "train" ? "" : ", in `jersey train`")
                + "; docs/explanation/study.md lists them")
    }
}
