"""Where the classes of well-known packages come from: the coordinates under which each library is published on Maven Central.

`published.txt` holds what the jars of Debian's Java libraries tell (made by scripts/java-packages); below stands, by each library's
own manual, what Debian has not, or has under another name. Where a log mentions artifacts, one of those is meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

# group:artifact, and the packages (or single classes) that are its own.
_OF: Final = """
cglib:cglib net.sf.cglib
ch.qos.logback:logback-classic ch.qos.logback
ch.qos.logback:logback-core ch.qos.logback.core
com.amazonaws:aws-java-sdk-core com.amazonaws
com.amazonaws:aws-java-sdk-dynamodb com.amazonaws.services.dynamodbv2
com.amazonaws:aws-java-sdk-s3 com.amazonaws.services.s3
com.amazonaws:aws-java-sdk-sqs com.amazonaws.services.sqs
com.amazonaws:aws-lambda-java-core com.amazonaws.services.lambda.runtime
com.amazonaws:aws-lambda-java-events com.amazonaws.services.lambda.runtime.events
com.auth0:java-jwt com.auth0.jwt
com.azure:azure-core com.azure.core
com.azure:azure-identity com.azure.identity
com.azure:azure-storage-blob com.azure.storage.blob
com.beust:jcommander com.beust.jcommander
com.datastax.oss:java-driver-core com.datastax.oss.driver
com.fasterxml.jackson.core:jackson-annotations com.fasterxml.jackson.annotation
com.fasterxml.jackson.core:jackson-core com.fasterxml.jackson.core
com.fasterxml.jackson.core:jackson-databind com.fasterxml.jackson.databind
com.fasterxml.jackson.dataformat:jackson-dataformat-csv com.fasterxml.jackson.dataformat.csv
com.fasterxml.jackson.dataformat:jackson-dataformat-xml com.fasterxml.jackson.dataformat.xml
com.fasterxml.jackson.dataformat:jackson-dataformat-yaml com.fasterxml.jackson.dataformat.yaml
com.fasterxml.jackson.datatype:jackson-datatype-jdk8 com.fasterxml.jackson.datatype.jdk8
com.fasterxml.jackson.datatype:jackson-datatype-jsr310 com.fasterxml.jackson.datatype.jsr310
com.fasterxml.jackson.module:jackson-module-kotlin com.fasterxml.jackson.module.kotlin
com.fasterxml.jackson.module:jackson-module-parameter-names com.fasterxml.jackson.module.paramnames
com.github.ben-manes.caffeine:caffeine com.github.benmanes.caffeine
com.github.tomakehurst:wiremock com.github.tomakehurst.wiremock
com.google.api-client:google-api-client com.google.api.client.googleapis
com.google.cloud:google-cloud-core com.google.cloud
com.google.cloud:google-cloud-pubsub com.google.cloud.pubsub
com.google.cloud:google-cloud-storage com.google.cloud.storage
com.google.code.findbugs:jsr305 javax.annotation.CheckForNull javax.annotation.concurrent
com.google.code.findbugs:jsr305 javax.annotation.Nonnull javax.annotation.Nullable
com.google.code.gson:gson com.google.gson
com.google.dagger:dagger dagger
com.google.errorprone:error_prone_annotations com.google.errorprone.annotations
com.google.guava:guava com.google.common
com.google.http-client:google-http-client com.google.api.client.http
com.google.inject:guice com.google.inject
com.google.oauth-client:google-oauth-client com.google.api.client.auth
com.google.protobuf:protobuf-java com.google.protobuf
com.graphql-java:graphql-java graphql
com.h2database:h2 org.h2
com.hazelcast:hazelcast com.hazelcast
com.hazelcast:hazelcast-hibernate53 com.hazelcast.hibernate
com.jayway.jsonpath:json-path com.jayway.jsonpath
com.mysql:mysql-connector-j com.mysql.cj
com.nimbusds:nimbus-jose-jwt com.nimbusds.jose com.nimbusds.jwt
com.nimbusds:oauth2-oidc-sdk com.nimbusds.oauth2 com.nimbusds.openid
com.puppycrawl.tools:checkstyle com.puppycrawl.tools.checkstyle
com.querydsl:querydsl-core com.querydsl.core
com.querydsl:querydsl-jpa com.querydsl.jpa
com.squareup.moshi:moshi com.squareup.moshi
com.squareup.okhttp3:mockwebserver okhttp3.mockwebserver
com.squareup.okhttp3:okhttp okhttp3
com.squareup.okio:okio okio
com.squareup.retrofit2:retrofit retrofit2
com.stripe:stripe-java com.stripe
com.tngtech.archunit:archunit com.tngtech.archunit
com.twilio.sdk:twilio com.twilio
com.typesafe:config com.typesafe.config
com.zaxxer:HikariCP com.zaxxer.hikari
commons-beanutils:commons-beanutils org.apache.commons.beanutils
commons-cli:commons-cli org.apache.commons.cli
commons-codec:commons-codec org.apache.commons.codec
commons-collections:commons-collections org.apache.commons.collections
commons-io:commons-io org.apache.commons.io
commons-lang:commons-lang org.apache.commons.lang
commons-logging:commons-logging org.apache.commons.logging
dev.langchain4j:langchain4j-core dev.langchain4j
info.picocli:picocli picocli
io.cucumber:cucumber-core io.cucumber.core
io.cucumber:cucumber-java io.cucumber.java
io.cucumber:cucumber-junit io.cucumber.junit
io.cucumber:cucumber-spring io.cucumber.spring
io.dropwizard:dropwizard-core io.dropwizard.core
io.fabric8:kubernetes-client io.fabric8.kubernetes.client
io.github.classgraph:classgraph io.github.classgraph
io.github.openfeign:feign-core feign
io.github.resilience4j:resilience4j-circuitbreaker io.github.resilience4j.circuitbreaker
io.github.resilience4j:resilience4j-core io.github.resilience4j.core
io.github.resilience4j:resilience4j-retry io.github.resilience4j.retry
io.javalin:javalin io.javalin
io.jsonwebtoken:jjwt-api io.jsonwebtoken
io.jsonwebtoken:jjwt-impl io.jsonwebtoken.impl
io.kotest:kotest-assertions-core-jvm io.kotest.matchers
io.lettuce:lettuce-core io.lettuce.core
io.micrometer:micrometer-core io.micrometer.core
io.micrometer:micrometer-observation io.micrometer.observation
io.micrometer:micrometer-registry-prometheus io.micrometer.prometheus io.micrometer.prometheusmetrics
io.micrometer:micrometer-tracing io.micrometer.tracing
io.micrometer:micrometer-tracing-bridge-brave io.micrometer.tracing.brave
io.micrometer:micrometer-tracing-bridge-otel io.micrometer.tracing.otel
io.mockk:mockk-jvm io.mockk
io.netty:netty-buffer io.netty.buffer
io.netty:netty-codec-http io.netty.handler.codec.http
io.netty:netty-common io.netty.util
io.netty:netty-handler io.netty.handler.ssl
io.netty:netty-transport io.netty.channel
io.opentelemetry:opentelemetry-api io.opentelemetry.api
io.opentelemetry:opentelemetry-context io.opentelemetry.context
io.opentelemetry:opentelemetry-sdk io.opentelemetry.sdk
io.projectreactor.netty:reactor-netty-core reactor.netty
io.projectreactor.netty:reactor-netty-http reactor.netty.http
io.projectreactor:reactor-core reactor.core
io.projectreactor:reactor-test reactor.test
io.quarkus:quarkus-arc io.quarkus.arc
io.quarkus:quarkus-bootstrap-core io.quarkus.bootstrap
io.quarkus:quarkus-builder io.quarkus.builder
io.quarkus:quarkus-core io.quarkus.runtime
io.quarkus:quarkus-core-deployment io.quarkus.deployment
io.quarkus:quarkus-junit5 io.quarkus.test.junit
io.r2dbc:r2dbc-spi io.r2dbc.spi
io.reactivex.rxjava2:rxjava io.reactivex
io.reactivex.rxjava3:rxjava io.reactivex.rxjava3
io.rest-assured:rest-assured io.restassured
io.smallrye.reactive:mutiny io.smallrye.mutiny
io.swagger.core.v3:swagger-annotations io.swagger.v3.oas.annotations
io.swagger:swagger-annotations io.swagger.annotations
io.undertow:undertow-core io.undertow
io.vavr:vavr io.vavr
io.vertx:vertx-core io.vertx.core
io.vertx:vertx-web io.vertx.ext.web
jakarta.activation:jakarta.activation-api jakarta.activation
jakarta.annotation:jakarta.annotation-api jakarta.annotation
jakarta.enterprise:jakarta.enterprise.cdi-api jakarta.enterprise
jakarta.inject:jakarta.inject-api jakarta.inject
jakarta.json:jakarta.json-api jakarta.json
jakarta.mail:jakarta.mail-api jakarta.mail
jakarta.persistence:jakarta.persistence-api jakarta.persistence
jakarta.servlet:jakarta.servlet-api jakarta.servlet
jakarta.transaction:jakarta.transaction-api jakarta.transaction
jakarta.validation:jakarta.validation-api jakarta.validation
jakarta.websocket:jakarta.websocket-api jakarta.websocket
jakarta.ws.rs:jakarta.ws.rs-api jakarta.ws.rs
jakarta.xml.bind:jakarta.xml.bind-api jakarta.xml.bind
javax.activation:javax.activation-api javax.activation
javax.annotation:javax.annotation-api javax.annotation
javax.enterprise:cdi-api javax.enterprise
javax.inject:javax.inject javax.inject
javax.json:javax.json-api javax.json
javax.mail:javax.mail-api javax.mail
javax.persistence:javax.persistence-api javax.persistence
javax.servlet:javax.servlet-api javax.servlet
javax.transaction:javax.transaction-api javax.transaction
javax.validation:validation-api javax.validation
javax.websocket:javax.websocket-api javax.websocket
javax.ws.rs:javax.ws.rs-api javax.ws.rs
javax.xml.bind:jaxb-api javax.xml.bind
joda-time:joda-time org.joda.time
junit:junit junit.framework org.junit
log4j:log4j org.apache.log4j
net.bytebuddy:byte-buddy net.bytebuddy
net.datafaker:datafaker net.datafaker
net.javacrumbs.shedlock:shedlock-core net.javacrumbs.shedlock.core
net.logstash.logback:logstash-logback-encoder net.logstash.logback
net.sf.ehcache:ehcache net.sf.ehcache
net.sf.jasperreports:jasperreports net.sf.jasperreports
net.sourceforge.htmlunit:htmlunit com.gargoylesoftware.htmlunit
org.apache.camel:camel-api org.apache.camel
org.apache.commons:commons-collections4 org.apache.commons.collections4
org.apache.commons:commons-compress org.apache.commons.compress
org.apache.commons:commons-configuration2 org.apache.commons.configuration2
org.apache.commons:commons-csv org.apache.commons.csv
org.apache.commons:commons-dbcp2 org.apache.commons.dbcp2
org.apache.commons:commons-lang3 org.apache.commons.lang3
org.apache.commons:commons-math3 org.apache.commons.math3
org.apache.commons:commons-pool2 org.apache.commons.pool2
org.apache.commons:commons-text org.apache.commons.text
org.apache.cxf:cxf-core org.apache.cxf
org.apache.flink:flink-core org.apache.flink.api.common
org.apache.hadoop:hadoop-common org.apache.hadoop.conf org.apache.hadoop.fs
org.apache.httpcomponents.client5:httpclient5 org.apache.hc.client5
org.apache.httpcomponents.core5:httpcore5 org.apache.hc.core5
org.apache.httpcomponents:httpclient org.apache.http
org.apache.kafka:kafka-clients org.apache.kafka.clients org.apache.kafka.common
org.apache.kafka:kafka-streams org.apache.kafka.streams
org.apache.kafka:kafka_2.13 kafka
org.apache.logging.log4j:log4j-api org.apache.logging.log4j
org.apache.logging.log4j:log4j-core org.apache.logging.log4j.core
org.apache.maven:maven-core org.apache.maven.execution org.apache.maven.lifecycle
org.apache.maven:maven-model org.apache.maven.model
org.apache.maven:maven-plugin-api org.apache.maven.plugin
org.apache.parquet:parquet-hadoop org.apache.parquet.hadoop
org.apache.pdfbox:pdfbox org.apache.pdfbox
org.apache.poi:poi org.apache.poi
org.apache.poi:poi-ooxml org.apache.poi.xssf
org.apache.pulsar:pulsar-client org.apache.pulsar.client
org.apache.spark:spark-core_2.13 org.apache.spark
org.apache.spark:spark-sql_2.13 org.apache.spark.sql
org.apache.tomcat.embed:tomcat-embed-core org.apache.catalina org.apache.coyote org.apache.tomcat
org.apache.velocity:velocity-engine-core org.apache.velocity
org.assertj:assertj-core org.assertj.core
org.awaitility:awaitility org.awaitility
org.bstats:bstats-bukkit org.bstats.bukkit
org.checkerframework:checker-qual org.checkerframework.checker
org.dom4j:dom4j org.dom4j
org.easymock:easymock org.easymock
org.eclipse.jetty:jetty-http org.eclipse.jetty.http
org.eclipse.jetty:jetty-io org.eclipse.jetty.io
org.eclipse.jetty:jetty-server org.eclipse.jetty.server
org.eclipse.jetty:jetty-util org.eclipse.jetty.util
org.ehcache:ehcache org.ehcache
org.elasticsearch.client:elasticsearch-rest-client org.elasticsearch.client
org.elasticsearch:elasticsearch org.elasticsearch
org.flywaydb:flyway-core org.flywaydb
org.freemarker:freemarker freemarker
org.glassfish.jaxb:jaxb-runtime com.sun.xml.bind.v2
org.glassfish.jersey.core:jersey-client org.glassfish.jersey.client
org.glassfish.jersey.core:jersey-common org.glassfish.jersey
org.glassfish.jersey.core:jersey-server org.glassfish.jersey.server
org.hamcrest:hamcrest org.hamcrest
org.hibernate.orm:hibernate-core org.hibernate
org.hibernate.validator:hibernate-validator org.hibernate.validator
org.htmlunit:htmlunit org.htmlunit
org.immutables:value org.immutables.value
org.infinispan:infinispan-core org.infinispan
org.jacoco:org.jacoco.agent org.jacoco.agent
org.javassist:javassist javassist
org.jboss.resteasy:resteasy-core org.jboss.resteasy.core
org.jdom:jdom2 org.jdom2
org.jenkins-ci.main:jenkins-core hudson jenkins.model
org.jenkins-ci.main:jenkins-test-harness org.jvnet.hudson.test
org.jetbrains.exposed:exposed-core org.jetbrains.exposed.sql
org.jetbrains.kotlin:kotlin-stdlib kotlin
org.jetbrains.kotlinx:kotlinx-coroutines-core kotlinx.coroutines
org.jetbrains:annotations org.jetbrains.annotations org.intellij.lang.annotations
org.jooq:jooq org.jooq
org.json:json org.json
org.jsoup:jsoup org.jsoup
org.jspecify:jspecify org.jspecify
org.junit.jupiter:junit-jupiter-api org.junit.jupiter.api
org.junit.jupiter:junit-jupiter-engine org.junit.jupiter.engine
org.junit.jupiter:junit-jupiter-params org.junit.jupiter.params
org.junit.platform:junit-platform-commons org.junit.platform.commons
org.junit.platform:junit-platform-engine org.junit.platform.engine
org.junit.platform:junit-platform-launcher org.junit.platform.launcher
org.keycloak:keycloak-core org.keycloak
org.liquibase:liquibase-core liquibase
org.mapstruct:mapstruct org.mapstruct
org.mariadb.jdbc:mariadb-java-client org.mariadb.jdbc
org.mockito:mockito-core org.mockito
org.mockito:mockito-junit-jupiter org.mockito.junit.jupiter
org.mongodb:bson org.bson
org.mongodb:mongodb-driver-core com.mongodb
org.mongodb:mongodb-driver-sync com.mongodb.client
org.mybatis.spring.boot:mybatis-spring-boot-autoconfigure org.mybatis.spring.boot.autoconfigure
org.mybatis:mybatis org.apache.ibatis
org.mybatis:mybatis-spring org.mybatis.spring
org.openjdk.jmh:jmh-core org.openjdk.jmh
org.opentest4j:opentest4j org.opentest4j
org.ow2.asm:asm org.objectweb.asm
org.postgresql:postgresql org.postgresql
org.powermock:powermock-core org.powermock.core
org.projectlombok:lombok lombok
org.quartz-scheduler:quartz org.quartz
org.reactivestreams:reactive-streams org.reactivestreams
org.redisson:redisson org.redisson
org.scala-lang:scala-library scala
org.seleniumhq.selenium:selenium-api org.openqa.selenium
org.seleniumhq.selenium:selenium-chrome-driver org.openqa.selenium.chrome
org.seleniumhq.selenium:selenium-remote-driver org.openqa.selenium.remote
org.seleniumhq.selenium:selenium-support org.openqa.selenium.support
org.slf4j:slf4j-api org.slf4j
org.springdoc:springdoc-openapi-starter-common org.springdoc.core
org.springframework.amqp:spring-amqp org.springframework.amqp
org.springframework.amqp:spring-rabbit org.springframework.amqp.rabbit
org.springframework.batch:spring-batch-core org.springframework.batch.core
org.springframework.batch:spring-batch-infrastructure org.springframework.batch.item
org.springframework.boot:spring-boot org.springframework.boot
org.springframework.boot:spring-boot-actuator org.springframework.boot.actuate
org.springframework.boot:spring-boot-actuator-autoconfigure org.springframework.boot.actuate.autoconfigure
org.springframework.boot:spring-boot-autoconfigure org.springframework.boot.autoconfigure
org.springframework.boot:spring-boot-test org.springframework.boot.test
org.springframework.cloud:spring-cloud-openfeign-core org.springframework.cloud.openfeign
org.springframework.cloud:spring-cloud-stream org.springframework.cloud.stream
org.springframework.data:spring-data-commons org.springframework.data
org.springframework.data:spring-data-jdbc org.springframework.data.jdbc
org.springframework.data:spring-data-jpa org.springframework.data.jpa
org.springframework.data:spring-data-mongodb org.springframework.data.mongodb
org.springframework.data:spring-data-redis org.springframework.data.redis
org.springframework.data:spring-data-rest-core org.springframework.data.rest.core
org.springframework.graphql:spring-graphql org.springframework.graphql
org.springframework.hateoas:spring-hateoas org.springframework.hateoas
org.springframework.integration:spring-integration-core org.springframework.integration
org.springframework.kafka:spring-kafka org.springframework.kafka
org.springframework.security:spring-security-config org.springframework.security.config
org.springframework.security:spring-security-core org.springframework.security.core
org.springframework.security:spring-security-crypto org.springframework.security.crypto
org.springframework.security:spring-security-oauth2-client org.springframework.security.oauth2.client
org.springframework.security:spring-security-oauth2-core org.springframework.security.oauth2.core
org.springframework.security:spring-security-oauth2-jose org.springframework.security.oauth2.jose
org.springframework.security:spring-security-oauth2-jose org.springframework.security.oauth2.jwt
org.springframework.security:spring-security-test org.springframework.security.test
org.springframework.security:spring-security-web org.springframework.security.web
org.springframework.ws:spring-ws-core org.springframework.ws
org.springframework:spring-beans org.springframework.beans
org.springframework:spring-context org.springframework.context org.springframework.stereotype org.springframework.scheduling
org.springframework:spring-core org.springframework.core org.springframework.util
org.springframework:spring-jdbc org.springframework.jdbc
org.springframework:spring-messaging org.springframework.messaging
org.springframework:spring-r2dbc org.springframework.r2dbc
org.springframework:spring-test org.springframework.test
org.springframework:spring-web org.springframework.web org.springframework.http
org.springframework:spring-webflux org.springframework.web.reactive
org.springframework:spring-webmvc org.springframework.web.servlet
org.testcontainers:junit-jupiter org.testcontainers.junit.jupiter
org.testcontainers:kafka org.testcontainers.kafka
org.testcontainers:testcontainers org.testcontainers
org.testng:testng org.testng
org.thymeleaf:thymeleaf org.thymeleaf
org.thymeleaf:thymeleaf-spring6 org.thymeleaf.spring6
org.webjars:webjars-locator-core org.webjars
org.wiremock:wiremock org.wiremock
org.xerial:sqlite-jdbc org.sqlite
org.yaml:snakeyaml org.yaml.snakeyaml
redis.clients:jedis redis.clients.jedis
software.amazon.awssdk:dynamodb software.amazon.awssdk.services.dynamodb
software.amazon.awssdk:regions software.amazon.awssdk.regions
software.amazon.awssdk:s3 software.amazon.awssdk.services.s3
software.amazon.awssdk:sdk-core software.amazon.awssdk.core
software.amazon.awssdk:sqs software.amazon.awssdk.services.sqs
"""


_FAMILIES: Final = {
    "com.amazonaws.services": "com.amazonaws:aws-java-sdk-",
    "software.amazon.awssdk.services": "software.amazon.awssdk:",
}
"""Of each of whose packages an artifact of its name is published."""


@lru_cache(maxsize=4_096)
def owner(name: str) -> str:
    """The artifact that a class or package is known to come from, by the longest beginning that is known; "" for none."""
    parts = name.split(".")
    for many in range(len(parts), 0, -1):
        begin = ".".join(parts[:many])
        if begin in _owners():
            return _owners()[begin]
        if begin in _FAMILIES and many < len(parts):
            return _FAMILIES[begin] + parts[many]
    return ""


@lru_cache(maxsize=4_096)
def named(artifact: str, package: str = "") -> str:
    """The one that is published under that name, by the house that a package begins with if one is given; "" for none or several."""
    house = package.split(".")[:2]
    found = [one for one in _names().get(artifact, ()) if not package or one.split(":")[0].split(".")[:2] == house]
    return found[0] if len(found) == 1 else ""


@cache
def _owners() -> dict[str, str]:
    return {package: artifact for artifact, packages in _rows() for package in packages}


@cache
def _names() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for artifact in dict.fromkeys(artifact for artifact, _ in _rows()):
        found.setdefault(artifact.partition(":")[2], []).append(artifact)
    return found


def _rows() -> Iterator[tuple[str, list[str]]]:
    told = files(__package__).joinpath("published.txt").read_text()
    for text in (told, _OF):
        for line in text.strip().split("\n"):
            artifact, *packages = line.split()
            yield artifact, packages
