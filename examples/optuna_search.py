"""
Optuna: a search that ends bad trials early
===========================================

`Optuna <https://optuna.org>`_ draws each trial near the good ones before it, and prunes
a trial that is worse than the others after as many epochs. The settings may come from
ranges instead of a grid. A study in SQLite keeps its trials for the next run of the
script; here it is kept in memory.

Needs ``pip install optuna optuna-integration``.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import optuna
from matplotlib.ticker import MaxNLocator
from optuna_integration import KerasPruningCallback
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedShuffleSplit,
    train_test_split,
)

from skmnist import Augmentation
from skmnist.datasets import load_digits
from skmnist.pipelines import make_model

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
SETTINGS = {"batch_size": 32, "epochs": 20, "random_state": 0}


def objective(trial):
    model = make_model(
        "mlp_512",
        units=trial.suggest_categorical("units", [64, 128, 256]),
        dropout=trial.suggest_float("dropout", 0.0, 0.5),
        learning_rate=trial.suggest_float("learning_rate", 3e-4, 3e-2, log=True),
        augmentation=Augmentation(rotation=trial.suggest_float("rotation", 0, 15)),
        validation_fraction=0.2,
        callbacks=KerasPruningCallback(trial, "val_accuracy"),
        **SETTINGS,
    )
    model.fit(X_train, y_train)
    return model[-1].history_["val_accuracy"][-1]


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    direction="maximize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=4),
    # storage="sqlite:///digits.db", study_name="digits", load_if_exists=True
)
start = perf_counter()
study.optimize(objective, n_trials=24)
seconds = perf_counter() - start
pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
print(f"{len(study.trials)} trials in {seconds:.1f} s, {len(pruned)} pruned")
print(study.best_params)
print(f"validation accuracy {study.best_value:.3f}")

best = dict(study.best_params)
best["augmentation"] = Augmentation(rotation=best.pop("rotation"))
model = make_model("mlp_512", **best, **SETTINGS).fit(X_train, y_train)
print(f"test accuracy {model.score(X_test, y_test):.3f}")

# %%
# A grid over the same settings, in which each candidate is trained to the end:

grid = GridSearchCV(
    make_model("mlp_512", augmentation=Augmentation(), **SETTINGS),
    {
        "clf__units": [64, 128, 256],
        "clf__dropout": [0.0, 0.2, 0.4],
        "clf__learning_rate": [1e-3, 3e-3, 1e-2],
        "clf__augmentation__rotation": [0, 8],
    },
    cv=StratifiedShuffleSplit(1, test_size=0.2, random_state=0),
)
start = perf_counter()
grid.fit(X_train, y_train)
print(f"{len(grid.cv_results_['params'])} candidates in {perf_counter() - start:.1f} s")
print(grid.best_params_)
print(f"validation accuracy {grid.best_score_:.3f}")
print(f"test accuracy {grid.score(X_test, y_test):.3f}")

# %%
# Pruned trials have fewer epochs:

fig, ax = plt.subplots()
for trial in study.trials:
    accuracies = [value for _, value in sorted(trial.intermediate_values.items())]
    epochs = range(1, len(accuracies) + 1)
    is_pruned = trial in pruned
    color = "tab:gray" if is_pruned else "tab:blue"
    ax.plot(epochs, accuracies, color=color, alpha=0.5, lw=1)
    ax.plot(epochs[-1], accuracies[-1], "x" if is_pruned else "o", color=color)
ax.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0.6, 1))
ax.xaxis.set_major_locator(MaxNLocator(integer=True))
plt.show()
