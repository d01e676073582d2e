import os, pytest, time
from tests.servers.opensearch import ask
def test_cluster(cluster):
    print(cluster.name)
    ask(cluster.url, "PUT", "/x"); cluster.wipe(); assert ask(cluster.url, "GET", "/_cat/indices?format=json") == []
@pytest.mark.real_node
def test_node(make_node):
    t=time.monotonic()
    n = make_node("http.max_content_length: 1mb\n")
    print(time.monotonic()-t)
    ask(n.url, "PUT", "/x"); n.pause(); n.cont(); n.restart(); assert ask(n.url, "GET", "/x")
    n.kill(); n.start(); assert ask(n.url, "GET", "/x")
