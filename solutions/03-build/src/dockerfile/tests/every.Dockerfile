# syntax = docker/dockerfile:1.7-labs
# escape = \

ARG VERSION=1.0 BASE="alpine:${VERSION}" EMPTY
FROM --platform=$BUILDPLATFORM ${BASE} AS First
MAINTAINER Somebody <some@body.example>
ARG name
ARG a=1 b="two words" c='3' d
ENV OLD the rest of the line "with quotes"
ENV A=1 B="b c" C=d\ e
LABEL x=y "with blank"="is quoted"
WORKDIR /srv/my folder
USER 1000:1000
EXPOSE 9000 80/tcp $PORT
VOLUME /data /more
VOLUME ["/with space", "/b"]
SHELL ["/bin/bash", "-c"]
STOPSIGNAL SIGTERM
RUN echo one && \
    # a comment within
    echo two
RUN ["echo", "$HOME"]
RUN --mount=type=cache,target=/cache,id=$ID,sharing=locked --mount=from=build,src=/a,dst=/b,rw --network=none make
RUN --mount=type=secret,id=key,target=/key,required,mode=0400 --mount=type=tmpfs,target=/tmp,size=64m cat /key
RUN <<EOF
echo "in a heredoc"
echo $A
EOF
RUN <<-"PYTHON"
	#!/usr/bin/env python3
	print("hi")
	PYTHON
RUN cat <<A <<-B > /both
a
A
	b
	B
COPY a b /c/
COPY ["a b", "/c d"]
COPY --from=first --chown=1:2 --chmod=0755 --link --parents --exclude=*.md --exclude=x /a /b
COPY <<one.txt <<"two.txt" file /dest/
$A
one.txt
$B
two.txt
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d --unpack=false https://x.example/y /z
ADD --keep-git-dir https://github.com/x/y.git#v1 /src
HEALTHCHECK --interval=1m30s --timeout=3s --start-period=10s --start-interval=500ms --retries=4 CMD curl -f http://localhost/
HEALTHCHECK CMD ["true"]
HEALTHCHECK NONE
ONBUILD RUN <<EOF
make
EOF
onbuild copy . /src
CMD echo hi
CMD ["echo", "hi"]
CMD
CMD []
ENTRYPOINT exec top -b
from first
