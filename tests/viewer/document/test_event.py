from viewer.document import Event


def test_listeners_are_told_in_the_order_in_which_they_connected():
    event, heard = Event(), []
    event.connect(lambda value: heard.append(("first", value)))
    event.connect(lambda value: heard.append(("second", value)))

    event.emit(1)

    assert heard == [("first", 1), ("second", 1)]


def test_a_listener_may_disconnect_itself_while_it_is_told():
    event, heard = Event(), []

    def once(value):
        heard.append(value)
        event.disconnect(once)

    event.connect(once)
    event.connect(heard.append)
    event.emit(1)
    event.emit(2)

    assert heard == [1, 1, 2]
