"""The published results agree with the networks and recipes that bear their names."""

import pytest

from skmnist.networks import ARCHITECTURES
from skmnist.pipelines import make_model, model_names, results_on_mnist
from skmnist.published import RESULTS, SOURCES, STUDIES


def test_every_network_has_its_result_and_every_result_its_source():
    assert list(RESULTS) == list(ARCHITECTURES)[: len(RESULTS)]  # then our own
    assert {r.source for r in RESULTS.values()} == set(SOURCES)
    assert {s.source for s in STUDIES.values()} <= {None, *SOURCES}


@pytest.mark.parametrize("name", RESULTS)
def test_published_weights_are_those_of_the_named_network(name):
    spec = make_model(name)[-1]._specify(784, (28, 28, 1), 10)
    network = spec.builder(spec.input_shape, spec.n_classes, **spec.parameters)
    assert network.count_params() == RESULTS[name].n_parameters


def test_results_on_mnist_are_of_named_models_and_their_number_of_weights():
    results = results_on_mnist()
    models = results["models"]
    assert set(models) <= set(model_names())
    for name, found in models.items():
        assert len(found["accuracies"]) == len(set(found["seeds"])) >= 1
        if name in RESULTS:
            assert found["n_parameters"] == RESULTS[name].n_parameters


def test_published_figures_are_shares_and_losses_in_range():
    for result in RESULTS.values():
        assert result.accuracy is None or 0.98 < result.accuracy < 0.995
        assert result.loss is None or 0.02 < result.loss < 0.08
        assert result.validation in (None, "test", 0.1, 0.2)


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_a_study_varies_the_recipe_that_its_reference_is(study):
    variants = {
        name: make_model(study.model, **params).get_params(deep=True)
        for name, params in study.variants.items()
    }
    for params in variants.values():
        for step, _ in params.pop("steps"):  # compared by their parameters, too
            del params[step]
        if params["clf__augmentation"]:
            del params["clf__augmentation"]
    recipe = make_model(study.model).get_params()
    assert variants[study.reference].items() <= recipe.items()
    others = [v for name, v in variants.items() if name != study.reference]
    assert all(params != variants[study.reference] for params in others)
