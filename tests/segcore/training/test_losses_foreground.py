import torch

from segcore.training.losses_foreground import foreground_logit


def test_the_sigmoid_is_the_probability_of_the_class():
    logits = torch.randn(2, 5, 4, 3)

    for index in range(5):
        torch.testing.assert_close(
            foreground_logit(logits, index).sigmoid(), logits.softmax(1)[:, index]
        )


def test_one_channel_is_the_logit_itself():
    logits = torch.randn(2, 1, 4, 3)

    assert torch.equal(foreground_logit(logits), logits[:, 0])
