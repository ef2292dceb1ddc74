"""The server of Twisted's mail library, over the files of a directory: DIRECTORY PORT.

It makes CRLF of each LF of a file, and asks for the sizes of what it sends."""

import hashlib
import os
import sys

from twisted.cred import checkers, portal
from twisted.internet import protocol, reactor
from twisted.mail import pop3
from zope.interface import implementer

DIRECTORY, PORT = sys.argv[1], int(sys.argv[2])


def size(path):
    with open(path, "rb") as file:
        octets = file.read()
    return len(octets) + octets.count(b"\n")


@implementer(pop3.IMailbox)
class Mailbox:
    def __init__(self):
        self.paths = [os.path.join(DIRECTORY, name) for name in sorted(os.listdir(DIRECTORY))]
        self.deleted = set()

    def listMessages(self, index=None):
        if index is not None:
            return 0 if index in self.deleted else size(self.paths[index])
        return [self.listMessages(index) for index in range(len(self.paths))]

    def getMessage(self, index):
        if index in self.deleted:
            raise IndexError
        return open(self.paths[index], "rb")

    def getUidl(self, index):
        return hashlib.sha256(self.paths[index].encode()).hexdigest().encode()

    def deleteMessage(self, index):
        self.paths[index]
        self.deleted.add(index)

    def undeleteMessages(self):
        self.deleted.clear()

    def sync(self):
        for index in self.deleted:
            os.unlink(self.paths[index])


@implementer(portal.IRealm)
class Realm:
    def requestAvatar(self, avatar_id, mind, *interfaces):
        return pop3.IMailbox, Mailbox(), lambda: None


class Factory(protocol.ServerFactory):
    def buildProtocol(self, address):
        server = pop3.POP3()
        server.factory = self
        known = checkers.InMemoryUsernamePasswordDatabaseDontUse(mrose=b"tanstaaf")
        server.portal = portal.Portal(Realm(), [known])
        return server


reactor.listenTCP(PORT, Factory(), interface="127.0.0.1")
reactor.run()
