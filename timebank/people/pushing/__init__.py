"""The push gateway, outside of the service, is informed of new messages: by it a phone shows that there is one."""
