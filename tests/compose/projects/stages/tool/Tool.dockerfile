FROM workbench
COPY tool/say.sh /say.sh
ENTRYPOINT ["sh", "/say.sh"]
CMD ["--quiet"]
USER 1000:1000
